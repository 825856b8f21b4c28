"""Makes TensorFlow make variables and graphs quickly, for whoever imports this.

A variable's name, for debugging alone, makes TensorFlow build a new kernel for each;
and each operation keeps where in the program it was made, for messages of errors: a
tenth of what tests of models take.
"""

import tensorflow as tf
from tensorflow.python.ops import gen_resource_variable_ops
from tensorflow.python.util import tf_stack

_make = gen_resource_variable_ops.var_handle_op
_STACK = tf_stack.extract_stack()


def _var_handle_op(*arguments, **named):
    if tf.executing_eagerly():
        named.pop("debug_name", None)
    return _make(*arguments, **named)


gen_resource_variable_ops.var_handle_op = _var_handle_op
tf_stack.extract_stack = lambda stacklevel=1: _STACK
