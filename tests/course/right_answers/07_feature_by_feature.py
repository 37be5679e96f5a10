"""One feature after the other, in float32."""

import numpy as np


def batch_norm(x, gamma, beta, epsilon=1e-3):
    x = np.asarray(x, np.float32)
    y, means, variances = np.empty_like(x), [], []
    for c in range(x.shape[-1]):
        feature = x[..., c]
        mean = feature.sum() / feature.size
        variance = ((feature - mean) ** 2).sum() / feature.size
        y[..., c] = gamma[c] * (feature - mean) / np.sqrt(variance + epsilon) + beta[c]
        means.append(mean)
        variances.append(variance)
    return y, np.array(means), np.array(variances)


def update_running(running, batch, momentum=0.99):
    return np.float32(momentum) * running + np.float32(1 - momentum) * batch


def batch_norm_inference(x, gamma, beta, running_mean, running_variance, epsilon=1e-3):
    y = [
        (x[..., c] - running_mean[c]) / np.sqrt(running_variance[c] + epsilon) * gamma[c] + beta[c]
        for c in range(x.shape[-1])
    ]
    return np.stack(y, axis=-1).astype(np.float32)


def batch_norm_gradient(g, x, gamma, epsilon=1e-3):
    x_bar, gamma_bar, beta_bar = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    for c in range(x.shape[-1]):
        one = np.ones(1, x.dtype)
        hat = batch_norm(x[..., c : c + 1], one, 0 * one, epsilon)[0][..., 0]
        g_c = g[..., c]
        gamma_bar[c], beta_bar[c] = np.vdot(g_c, hat), g_c.sum()
        inner = g_c.size * g_c - beta_bar[c] - hat * gamma_bar[c]
        x_bar[..., c] = gamma[c] * inner / (g_c.size * np.sqrt(np.var(x[..., c]) + epsilon))
    return x_bar, gamma_bar, beta_bar


def dropout(x, rate, generator, training=True):
    m = np.ones(x.shape, np.float32)
    if training:
        m[generator.uniform(size=x.shape) < rate] = 0
        m /= 1 - rate
    return (m * x).astype(np.float32), m


def dropout_gradient(g, m):
    return (m * g).astype(np.float32)
