"""The model's layers, on `keras.ops` alone."""
