"""Images made rows first; the gradient step by step, through variance and mean, as on paper."""

import numpy as np


def _rows(x):
    return x.reshape(-1, x.shape[-1])


def batch_norm(x, gamma, beta, epsilon=1e-3):
    rows = _rows(x)
    mean, variance = rows.mean(axis=0), rows.var(axis=0)
    return batch_norm_inference(x, gamma, beta, mean, variance, epsilon), mean, variance


def update_running(running, batch, momentum=0.99):
    return running + (1 - momentum) * (batch - running)


def batch_norm_inference(x, gamma, beta, running_mean, running_variance, epsilon=1e-3):
    scale = gamma * (running_variance + epsilon) ** -0.5
    return x * scale + (beta - running_mean * scale)


def batch_norm_gradient(g, x, gamma, epsilon=1e-3):
    rows, g_rows = _rows(x), _rows(g)
    n = len(rows)
    mean = rows.mean(axis=0)
    centred = rows - mean
    variance = (centred**2).mean(axis=0)
    root = np.sqrt(variance + epsilon)
    gamma_bar = (g_rows * centred / root).sum(axis=0)
    normalized_bar = g_rows * gamma
    variance_bar = (normalized_bar * centred).sum(axis=0) * -0.5 * root**-3
    centred_bar = normalized_bar / root + variance_bar * 2 * centred / n
    x_bar = centred_bar - centred_bar.sum(axis=0) / n
    return x_bar.reshape(x.shape), gamma_bar, g_rows.sum(axis=0)


def dropout(x, rate, generator, training=True):
    if not training or rate == 0:
        return x, np.ones(x.shape)
    kept = generator.binomial(1, 1 - rate, size=x.shape)
    return np.where(kept == 1, x / (1 - rate), 0.0), kept / (1 - rate)


def dropout_gradient(g, m):
    return np.multiply(m, g)
