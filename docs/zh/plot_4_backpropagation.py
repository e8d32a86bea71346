"""
.. _zh-backpropagation:

第四课：反向传播
================

梯度下降需要代价函数对每个参数的导数。反向传播从输出层开始，沿着正向传播的路倒着走，用链式求导法则把它们一次全部算出来。
"""

# %%
# 六个等式
# --------
# 正向传播是四个等式，反向传播是六个等式。:math:`*` 表示逐个元素相乘，其余的乘法都是矩阵乘法。:math:`dZ` 的每一列是一个样本的损失函数对 :math:`z` 的导数；:math:`dW` 和 :math:`db` 是代价函数的导数，要对样本取平均，所以有 :math:`\frac1m`。
#
# .. math::
#    dZ^{[2]} &= A^{[2]} - Y \\
#    dW^{[2]} &= \tfrac1m\, dZ^{[2]} A^{[1]T}, &
#    db^{[2]} &= \tfrac1m \operatorname{np.sum}(dZ^{[2]}, \text{axis}=1) \\
#    dZ^{[1]} &= W^{[2]T} dZ^{[2]} * g'(Z^{[1]}) \\
#    dW^{[1]} &= \tfrac1m\, dZ^{[1]} X^T, &
#    db^{[1]} &= \tfrac1m \operatorname{np.sum}(dZ^{[1]}, \text{axis}=1)
#
# 第一个等式为什么这样简单？损失函数对 :math:`a` 的导数是 :math:`-\frac{y}{a} + \frac{1-y}{1-a}`，sigmoid 的导数是 :math:`a(1-a)`，两者相乘正好是 :math:`a - y`。
#
# 第四个等式分两步：先传回隐藏层的激活值，:math:`dA^{[1]} = W^{[2]T} dZ^{[2]}`；再穿过激活函数，乘上它的导数，:math:`dZ^{[1]} = dA^{[1]} * g'(Z^{[1]})`。下面用 tanh，:math:`g'(Z^{[1]})` 就是 ``1 - A1**2``。
#
# 检查维数是个好习惯：:math:`dW` 和 :math:`W` 的大小总是相同，:math:`dZ` 和 :math:`Z` 也是。程序里的 ``keepdims=True`` 使 :math:`db` 和 :math:`b` 一样，仍是一列。
#
# 下面的 ``expit`` 就是 sigmoid。把 :math:`a = \sigma(z)` 代入损失函数，得到 :math:`L = \log(1 + e^z) - y z`。程序用这个形式，因为概率舍入成 0 或 1 时，它也不会去求 0 的对数。

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit
from sklearn.datasets import make_moons

from sk_shallow import ShallowNNClassifier

points, labels = make_moons(300, noise=0.15, random_state=0)
X, Y, m = points.T, labels[None, :], len(labels)


def forward(W1, b1, W2, b2):
    A1 = np.tanh(W1 @ X + b1)
    Z2 = W2 @ A1 + b2
    return A1, Z2


def cost(*parameters):
    Z2 = forward(*parameters)[1]
    return np.mean(np.logaddexp(0, Z2) - Y * Z2)


def backward(W1, b1, W2, b2):
    A1, Z2 = forward(W1, b1, W2, b2)
    A2 = expit(Z2)
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2


# %%
# 算得对不对？用差商来检查
# ------------------------
# 导数的定义就是裁判：把一个参数加减一点点，看代价函数变化多少。下式的 :math:`\theta` 是任意一个参数，:math:`\varepsilon` 是一个很小的数：
#
# .. math::
#    \frac{\partial J}{\partial \theta} \approx
#    \frac{J(\theta + \varepsilon) - J(\theta - \varepsilon)}{2 \varepsilon}
#
# 这样每个参数要做两次正向传播，用来训练太慢，用来检查正合适。

rng = np.random.default_rng(0)
shapes = (5, 2), (5, 1), (1, 5), (1, 1)
parameters = [rng.normal(size=shape) for shape in shapes]
epsilon = 1e-5
for name, value, grad in zip(
    ("W1", "b1", "W2", "b2"), parameters, backward(*parameters), strict=True
):
    quotients = np.empty_like(value)
    for place in np.ndindex(value.shape):
        kept = value[place]
        value[place] = kept + epsilon
        above = cost(*parameters)
        value[place] = kept - epsilon
        below = cost(*parameters)
        value[place] = kept
        quotients[place] = (above - below) / (2 * epsilon)
    print(f"d{name} {grad.shape}: 最多相差 {np.abs(grad - quotients).max():.0e}")

# %%
# 这个库自己的测试也是这样做的：每个激活函数、每个损失函数的导数都要和差商一致。自己写的激活函数如果导数写错了，``fit`` 会拒绝它。
#
# 学习率
# ------
# 有了梯度，梯度下降的一步就是 :math:`W := W - \alpha\, dW`，:math:`b := b - \alpha\, db`。笔记里的学习率 :math:`\alpha` 在这里叫 ``learning_rate_init``。它太小，走得慢；太大，会越过谷底来回跳，一直降不下来。下面从同样的参数出发，试四个学习率：

rates = 0.01, 0.1, 2.0, 100.0
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for rate in rates:
    theta = [0.5 * value for value in parameters]
    costs = []
    for _ in range(300):
        grads = backward(*theta)
        theta = [value - rate * grad for value, grad in zip(theta, grads, strict=True)]
        costs.append(cost(*theta))
    ax.plot(costs, label=f"$\\alpha = {rate:g}$")
ax.set(xlabel="step", ylabel="$J$", yscale="log")
figure.legend(loc="outside right upper")
plt.show()

# %%
# 交给这个库
# ----------
# ``solver="gd"`` 就是笔记里的梯度下降，每一步都用全部样本。数据多的时候用 ``"adam"``，它每一步只看一小批样本；数据少、单元少的时候用 ``"lbfgs"``，它从前几步的梯度估计谷底在哪里。三者最小化的是同一个代价函数，这里连同 ``alpha=0.1`` 的 L2 惩罚。学习率都用默认值，最多一千轮；一轮把全部样本至少用一遍。

for solver in ("gd", "adam", "lbfgs"):
    net = ShallowNNClassifier(5, activation="tanh", solver=solver, alpha=0.1)
    with warnings.catch_warnings():
        # 轮数是我们定的，没有收敛也不必提醒。
        warnings.simplefilter("ignore")
        net.set_params(max_iter=1000, random_state=0).fit(points, labels)
    print(f"{solver:6s} 第 {net.n_iter_:4d} 轮，J = {net.loss_:.4f}")

# %%
# 一千轮之后，梯度下降离谷底还远，另外两个已经差不多到了。
#
# 每个等式对应源代码的哪一行，见“:ref:`笔记与代码 <notes-and-code>`”（英文）。
#
# 下一课：:ref:`随机初始化 <zh-initialization>`。
