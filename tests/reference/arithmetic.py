"""Scalars and lists of scalars: what the equations are written in."""

import math

import numpy as np


def weights_of(layer):
    """A layer's weights by their path within it, as float64."""
    return {
        w.path.removeprefix(f"{layer.path}/"): w.numpy().astype("float64")
        for w in layer.weights
    }


def part(weights, name):
    """The weights below `name`, by the rest of their path."""
    start = f"{name}/"
    return {k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def add(a, b):
    return [x + y for x, y in zip(a, b, strict=True)]


def times(a, b):
    return [x * y for x, y in zip(a, b, strict=True)]


def linear(x, weights, name):
    """x W + b, the bias where the layer has one."""
    kernel = weights[f"{name}/kernel"]
    bias = weights.get(f"{name}/bias", np.zeros(kernel.shape[1]))
    return [dot(x, kernel[:, o]) + bias[o] for o in range(kernel.shape[1])]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def gelu(x):
    return x * 0.5 * (1 + math.erf(x / math.sqrt(2)))


def softmax(values):
    largest = max(values)
    exps = [math.exp(v - largest) for v in values]
    return [e / sum(exps) for e in exps]


def layer_norm(x, weights, name, epsilon=1e-3):
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    scaled = [(v - mean) / math.sqrt(variance + epsilon) for v in x]
    return add(times(scaled, weights[f"{name}/gamma"]), weights[f"{name}/beta"])
