# SPDX-License-Identifier: MIT
"""usage: models.py DIR: writes the models of known architectures that the
speed comparison runs, with random weights, as an exporter would write them.
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Net:
    """Nodes and weights in order; every method returns a value's name."""

    def __init__(self):
        self.nodes, self.weights = [], []
        self.rng = np.random.default_rng(1)

    def weight(self, a):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(a), name))
        return name

    def random(self, shape, fan_in):
        w = self.rng.standard_normal(shape) * np.sqrt(2 / fan_in)
        return self.weight(w.astype(np.float32))

    def near(self, middle, count):
        w = self.rng.uniform(middle - .1, middle + .1, count)
        return self.weight(w.astype(np.float32))

    def op(self, kind, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name,
                                           **attributes))
        return name

    def save(self, path, shape, out, out_shape):
        f32 = TensorProto.FLOAT
        g = helper.make_graph(
            self.nodes, "main",
            [helper.make_tensor_value_info("x", f32, shape)],
            [helper.make_tensor_value_info(out, f32, out_shape)], self.weights)
        m = helper.make_model(g, ir_version=8,
                              opset_imports=[helper.make_opsetid("", 13)])
        onnx.save(m, path)

    # ---- pictures ----

    def conv(self, x, cin, cout, kernel, stride=1, group=1, act=None):
        """Conv, BatchNormalization and an activation."""
        fan = cin // group * kernel * kernel
        x = self.op("Conv", x,
                    self.random((cout, cin // group, kernel, kernel), fan),
                    kernel_shape=[kernel] * 2, strides=[stride] * 2,
                    pads=[kernel // 2] * 4, group=group)
        x = self.op("BatchNormalization", x,
                    *(self.near(middle, cout) for middle in (.5, 0, 0, 1)))
        if act == "relu":
            x = self.op("Relu", x)
        elif act == "relu6":
            x = self.op("Clip", x, self.weight(np.float32(0)),
                        self.weight(np.float32(6)))
        return x

    def classifier(self, x, features):
        x = self.op("Flatten", self.op("GlobalAveragePool", x))
        return self.op("Gemm", x, self.random((1000, features), features),
                       self.near(0, 1000), transB=1)

    # ---- text ----

    def linear(self, x, cin, cout):
        y = self.op("MatMul", x, self.random((cin, cout), 2 * cin))
        return self.op("Add", self.near(0, cout), y)

    def layer_norm(self, x, width):
        mean = self.op("ReduceMean", x, axes=[-1])
        d = self.op("Sub", x, mean)
        square = self.op("Pow", d, self.weight(np.float32(2)))
        var = self.op("ReduceMean", square, axes=[-1])
        var = self.op("Add", var, self.weight(np.float32(1e-12)))
        y = self.op("Div", d, self.op("Sqrt", var))
        y = self.op("Mul", y, self.near(1, width))
        return self.op("Add", y, self.near(0, width))

    def gelu(self, x):
        e = self.op("Erf", self.op("Div", x, self.weight(np.float32(2 ** .5))))
        e = self.op("Add", e, self.weight(np.float32(1)))
        y = self.op("Mul", x, e)
        return self.op("Mul", y, self.weight(np.float32(.5)))

    def heads(self, x, count, width, perm):
        shape = self.weight(np.array([0, 0, count, width], np.int64))
        return self.op("Transpose", self.op("Reshape", x, shape), perm=perm)

    def attention(self, x, width, count):
        each = width // count
        q = self.heads(self.linear(x, width, width), count, each, [0, 2, 1, 3])
        k = self.heads(self.linear(x, width, width), count, each, [0, 2, 3, 1])
        v = self.heads(self.linear(x, width, width), count, each, [0, 2, 1, 3])
        s = self.op("Div", self.op("MatMul", q, k),
                    self.weight(np.float32(each ** .5)))
        y = self.op("MatMul", self.op("Softmax", s, axis=-1), v)
        y = self.op("Reshape", self.op("Transpose", y, perm=[0, 2, 1, 3]),
                    self.weight(np.array([0, 0, width], np.int64)))
        return self.linear(y, width, width)


def resnet50(path):
    """He et al., arXiv:1512.03385, stride in the 3x3 convolution."""
    n = Net()
    x = n.conv("x", 3, 64, 7, 2, act="relu")
    x = n.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    cin = 64
    for blocks, c, first in [(3, 64, 1), (4, 128, 2), (6, 256, 2),
                             (3, 512, 2)]:
        for i in range(blocks):
            stride = first if i == 0 else 1
            y = n.conv(x, cin, c, 1, act="relu")
            y = n.conv(y, c, c, 3, stride, act="relu")
            y = n.conv(y, c, 4 * c, 1)
            if i == 0:
                x = n.conv(x, cin, 4 * c, 1, stride)
            x = n.op("Relu", n.op("Add", y, x))
            cin = 4 * c
    n.save(path, [1, 3, 224, 224], n.classifier(x, cin), [1, 1000])


def mobilenet_v2(path):
    """Sandler et al., arXiv:1801.04381, width 1."""
    n = Net()
    x = n.conv("x", 3, 32, 3, 2, act="relu6")
    cin = 32
    for t, c, blocks, first in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2),
                                (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                                (6, 320, 1, 1)]:
        for i in range(blocks):
            stride, wide, y = first if i == 0 else 1, cin * t, x
            if t > 1:
                y = n.conv(y, cin, wide, 1, act="relu6")
            y = n.conv(y, wide, wide, 3, stride, wide, "relu6")
            y = n.conv(y, wide, c, 1)
            x = n.op("Add", x, y) if stride == 1 and cin == c else y
            cin = c
    x = n.conv(x, cin, 1280, 1, act="relu6")
    n.save(path, [1, 3, 224, 224], n.classifier(x, 1280), [1, 1000])


def bert(path, layers=6, width=768, heads=12, tokens=128):
    """The encoder of Devlin et al., arXiv:1810.04805, on embedded tokens."""
    n, x = Net(), "x"
    for _ in range(layers):
        x = n.layer_norm(n.op("Add", n.attention(x, width, heads), x), width)
        y = n.gelu(n.linear(x, width, 4 * width))
        x = n.layer_norm(n.op("Add", n.linear(y, 4 * width, width), x), width)
    n.save(path, [1, tokens, width], x, [1, tokens, width])


MODELS = {"resnet50": resnet50, "mobilenet-v2": mobilenet_v2, "bert-6": bert}

if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, make in MODELS.items():
        path = os.path.join(sys.argv[1], name + ".onnx")
        if not os.path.exists(path):
            make(path)
