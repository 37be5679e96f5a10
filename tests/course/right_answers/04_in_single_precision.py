"""Everything cast to float32; Adam with its corrections in the learning rate; lists as results."""

import numpy as np

single = np.float32


def gradient_descent(w, g, learning_rate):
    return np.subtract(w, learning_rate * g, dtype=single)


def momentum(w, g, v, learning_rate, beta=0.9):
    velocity = v.astype(single).copy()
    velocity *= beta
    velocity -= learning_rate * g.astype(single)
    return [w.astype(single) + velocity, velocity]


def nesterov(w, g, v, learning_rate, beta=0.9):
    _, velocity = momentum(w, g, v, learning_rate, beta)
    ahead, _ = momentum(w, g, velocity, learning_rate, beta)
    return [ahead, velocity]


def adagrad(w, g, a, learning_rate, epsilon=1e-7):
    total = np.add(a, np.square(g), dtype=single)
    return [w - learning_rate * np.divide(g, total**0.5 + epsilon), total]


def rmsprop(w, g, a, learning_rate, rho=0.9, epsilon=1e-7):
    mean = np.average([a, g * g], axis=0, weights=[rho, 1 - rho]).astype(single)
    return [w - learning_rate * g / (np.sqrt(mean) + epsilon), mean]


def adam(w, g, m, v, step, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = (beta_1 * m + (1 - beta_1) * g).astype(single)
    v = (beta_2 * v + (1 - beta_2) * g * g).astype(single)
    root = np.sqrt(1 - beta_2**step)
    rate = learning_rate * root / (1 - beta_1**step)
    return [w - rate * m / (np.sqrt(v) + epsilon * root), m, v]
