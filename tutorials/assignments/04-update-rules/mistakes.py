"""Typical wrong submissions to assignment 4; each has to lose what it names, and no more."""

from __future__ import annotations

from tinydl.course import Mistake

TURNS = "two parameters in turn: no state is shared"
VELOCITIES = "momentum and Nesterov: a sequence of steps"
SQUARES = "Adagrad, RMSprop and Adam: a sequence of steps"
FIRST = "Adam: the first step is as long as the learning rate"
SCALE = "Adam: gradients of another scale, the same steps"
ZERO = "zero gradients: no step, no nan"
EPSILON = "epsilon: where the formula has it"

MISTAKES = [
    Mistake(
        "uphill",
        replace="return w - learning_rate * g\n",
        by="return w + learning_rate * g\n",
        loses=("gradient descent: one step",),
        says="it points uphill",
    ),
    Mistake(
        "momentum with a plus",
        replace="    v = beta * v - learning_rate * g\n    return w + v, v",
        by="    v = beta * v + learning_rate * g\n    return w + v, v",
        loses=("momentum: one step", VELOCITIES),
        says="it points uphill",
    ),
    Mistake(
        "a velocity without the learning rate",
        replace="    v = beta * v - learning_rate * g\n    return w + v, v",
        by="    v = beta * v + g\n    return w - learning_rate * v, v",
        loses=("momentum: one step",),
        says="as in PyTorch",
    ),
    Mistake(
        "the old velocity moves the weights",
        replace="    v = beta * v - learning_rate * g\n    return w + v, v",
        by="    return w + v, beta * v - learning_rate * g",
        loses=("momentum: one step", VELOCITIES),
        says="the old velocity moves the weights",
    ),
    Mistake(
        "velocity changed in place",
        replace="    v = beta * v - learning_rate * g\n    return w + v, v",
        by="    v *= beta\n    v -= learning_rate * g\n    return w + v, v",
        loses=("inputs are left as they were",),
        says="momentum changes its input v",
    ),
    Mistake(
        "velocity kept in the function",
        replace="    v = beta * v - learning_rate * g\n    return w + v, v",
        by="    kept = getattr(momentum, 'kept', np.zeros_like(v))\n"
        "    momentum.kept = v = beta * kept - learning_rate * g\n"
        "    return w + v, v",
        loses=("momentum: one step", VELOCITIES, TURNS, "inputs are left as they were"),
        says="nothing is kept in the function",
    ),
    Mistake(
        "Nesterov without the look ahead",
        replace="return w + beta * v - learning_rate * g, v",
        by="return w + v, v",
        loses=("Nesterov: one step", VELOCITIES),
        says="it is momentum without Nesterov's look ahead",
    ),
    Mistake(
        "Adagrad forgets its sum",
        replace="a = a + g**2",
        by="a = g**2",
        loses=("Adagrad: one step", SQUARES),
        says="the sum is forgotten",
    ),
    Mistake(
        "Adagrad without the root",
        replace="    a = a + g**2\n    return w - learning_rate * g / (np.sqrt(a) + epsilon), a",
        by="    a = a + g**2\n    return w - learning_rate * g / (a + epsilon), a",
        loses=("Adagrad: one step", SQUARES, EPSILON),
        says="the root is missing",
    ),
    Mistake(
        "epsilon in the root of Adagrad",
        replace="    a = a + g**2\n    return w - learning_rate * g / (np.sqrt(a) + epsilon), a",
        by="    a = a + g**2\n    return w - learning_rate * g / np.sqrt(a + epsilon), a",
        loses=(EPSILON,),
        says="epsilon stands inside the root",
    ),
    Mistake(
        "rho and 1 - rho swapped",
        replace="a = rho * a + (1 - rho) * g**2",
        by="a = (1 - rho) * a + rho * g**2",
        loses=("RMSprop: one step", SQUARES),
        says="rho and 1 - rho are swapped",
    ),
    Mistake(
        "RMSprop without epsilon",
        replace="    a = rho * a + (1 - rho) * g**2\n"
        "    return w - learning_rate * g / (np.sqrt(a) + epsilon), a",
        by="    a = rho * a + (1 - rho) * g**2\n    return w - learning_rate * g / np.sqrt(a), a",
        loses=(ZERO, EPSILON),
        says="in RMSprop, epsilon is missing",
    ),
    Mistake(
        "Adam without corrections",
        replace="    m_hat = m / (1 - beta_1**step)\n    v_hat = v / (1 - beta_2**step)\n",
        by="    m_hat, v_hat = m, v\n",
        loses=("Adam: one step", FIRST, SQUARES, EPSILON),
        says="both corrections are missing",
    ),
    Mistake(
        "Adam counts its steps from 0",
        replace="    m_hat = m / (1 - beta_1**step)\n    v_hat = v / (1 - beta_2**step)\n",
        by="    m_hat = m / (1 - beta_1 ** (step + 1))\n    v_hat = v / (1 - beta_2 ** (step + 1))\n",
        loses=("Adam: one step", FIRST, SQUARES, EPSILON),
        says="the exponent is step + 1",
    ),
    Mistake(
        "Adam returns the corrected averages",
        replace="return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v",
        by="return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m_hat, v_hat",
        loses=("Adam: one step", SQUARES, EPSILON),
        says="the corrected averages are returned",
    ),
    Mistake(
        "Adam without the root",
        replace="return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v",
        by="return w - learning_rate * m_hat / (v_hat + epsilon), m, v",
        loses=("Adam: one step", FIRST, SCALE, SQUARES, EPSILON),
        says="the root is missing",
    ),
    Mistake(
        "Adam with beta_1 and beta_2 swapped",
        replace="    m = beta_1 * m + (1 - beta_1) * g\n    v = beta_2 * v + (1 - beta_2) * g**2\n",
        by="    beta_1, beta_2 = beta_2, beta_1\n"
        "    m = beta_1 * m + (1 - beta_1) * g\n    v = beta_2 * v + (1 - beta_2) * g**2\n",
        loses=("Adam: one step", SQUARES, EPSILON),
        says="beta_1 and beta_2 are swapped",
    ),
    Mistake(
        "another default for epsilon",
        replace="def rmsprop(w, g, a, learning_rate, rho=0.9, epsilon=1e-7):",
        by="def rmsprop(w, g, a, learning_rate, rho=0.9, epsilon=1e-8):",
        loses=(EPSILON,),
        says="in RMSprop, the default of an argument is another",
    ),
    Mistake(
        "beta written into momentum",
        replace="    v = beta * v - learning_rate * g\n    return w + v, v",
        by="    v = 0.9 * v - learning_rate * g\n    return w + v, v",
        loses=("momentum: one step",),
        says="an argument that is passed is ignored",
    ),
    Mistake(
        "the velocity returned first",
        replace="    return w + v, v",
        by="    return v, w + v",
        loses=("momentum: one step", VELOCITIES),
        says="the new weights come first",
    ),
    Mistake(
        "Adagrad with one sum for all weights",
        replace="a = a + g**2",
        by="a = a + np.sum(g**2)",
        loses=("Adagrad: one step", SQUARES),
        says="each weight has a sum of its own",
    ),
    Mistake(
        "Adam without 1 - beta",
        replace="    m = beta_1 * m + (1 - beta_1) * g\n",
        by="    m = beta_1 * m + g\n",
        loses=("Adam: one step", FIRST, SQUARES),
        says="the factor 1 - beta is missing",
    ),
]
