"""Recurrent layers one step and one list at a time, in NumPy."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(layer, sequence):
    """The outputs of a Keras GRU (`reset_after`), one for each step."""
    kernel, recurrent, bias = (w.numpy().astype(float) for w in layer.weights[:3])
    state, outputs = np.zeros(layer.units), []
    for x in sequence:
        new = np.split(x @ kernel + bias[0], 3)
        old = np.split(state @ recurrent + bias[1], 3)
        update, reset = sigmoid(new[0] + old[0]), sigmoid(new[1] + old[1])
        candidate = np.tanh(new[2] + reset * old[2])
        state = update * state + (1 - update) * candidate
        outputs.append(state)
    return np.array(outputs)


def lstm(layer, sequence):
    """The outputs of a Keras LSTM, one for each step."""
    kernel, recurrent, bias = (w.numpy().astype(float) for w in layer.weights[:3])
    state, carry, outputs = np.zeros(layer.units), np.zeros(layer.units), []
    for x in sequence:
        gates = np.split(x @ kernel + state @ recurrent + bias, 4)
        carry = sigmoid(gates[1]) * carry + sigmoid(gates[0]) * np.tanh(gates[2])
        state = sigmoid(gates[3]) * np.tanh(carry)
        outputs.append(state)
    return np.array(outputs)
