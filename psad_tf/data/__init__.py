"""From raw logs to lists, and from lists to tf.train.Example bytes."""
