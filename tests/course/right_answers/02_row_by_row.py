"""Loops over the samples, a full Hessian, and the gradient from it all."""

import math

import numpy as np


def log_softmax(z):
    rows = z.reshape(-1, z.shape[-1])
    result = np.zeros(rows.shape)
    for n, row in enumerate(rows):
        top = max(row)
        total = sum(math.exp(score - top) for score in row)
        for k, score in enumerate(row):
            result[n, k] = score - top - math.log(total)
    return result.reshape(z.shape)


def softmax(z):
    return np.exp(log_softmax(z))


def cross_entropy(t, z):
    return np.array([-(t_n @ l_n) for t_n, l_n in zip(t, log_softmax(z), strict=True)])


def cross_entropy_gradient(t, z):
    return np.array([p_n - t_n for t_n, p_n in zip(t, softmax(z), strict=True)])


def hessian_vector_product(t, z, v):
    products = []
    for p, direction in zip(softmax(z), v, strict=True):
        hessian = np.diag(p) - np.outer(p, p)
        products.append(hessian @ direction)
    return np.array(products)
