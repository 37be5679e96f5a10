"""The gradient of the batch norm one step at a time, and masks drawn by `choice`."""

import numpy as np


def batch_norm(x, gamma, beta, epsilon=1e-3):
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    variance = ((x - mean) ** 2).mean(axis=axes)
    xhat = (x - mean) / np.sqrt(variance + epsilon)
    return gamma * xhat + beta, mean, variance


def update_running(running, batch, momentum=0.99):
    return running + (1 - momentum) * (batch - running)


def batch_norm_inference(x, gamma, beta, running_mean, running_variance, epsilon=1e-3):
    scale = gamma / np.sqrt(running_variance + epsilon)
    return x * scale + (beta - running_mean * scale)


def batch_norm_gradient(g, x, gamma, epsilon=1e-3):
    """step by step, as in Kratzert's blog"""
    ax = tuple(range(g.ndim - 1))
    n = x.size // x.shape[-1]
    mu = np.sum(x, ax) / n
    xmu = x - mu
    var = np.sum(xmu**2, ax) / n
    sq = np.sqrt(var + epsilon)
    ivar = 1.0 / sq
    xhat = xmu * ivar
    dbeta = np.sum(g, ax)
    dgamma = np.sum(g * xhat, ax)
    dxhat = g * gamma
    divar = np.sum(dxhat * xmu, ax)
    dxmu1 = dxhat * ivar
    dsq = -1.0 / sq**2 * divar
    dvar = 0.5 / sq * dsq
    dsqx = np.ones(x.shape) / n * dvar
    dxmu2 = 2 * xmu * dsqx
    dx1 = dxmu1 + dxmu2
    dmu = -np.sum(dx1, ax)
    return dx1 + np.ones(x.shape) / n * dmu, dgamma, dbeta


def dropout(x, rate, generator, training=True):
    if not training:
        return x.copy(), np.ones_like(x)
    m = (generator.random(x.shape) >= rate) / (1 - rate)
    return x * m, m


def dropout_gradient(g, m):
    return g * m
