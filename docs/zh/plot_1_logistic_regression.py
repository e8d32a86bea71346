"""
.. _zh-logistic-regression:

第一课：逻辑回归就是一个单元
============================

神经网络由许多相同的单元（也叫神经元、节点）组成，而逻辑回归正好就是一个单元。先把这一个单元弄明白，后面的网络只是把它重复许多次。
"""

# %%
# 数据
# ----
# 平面上有两类点，每个点是一个训练样本，有两个输入特征 :math:`x_1`、:math:`x_2`，标签 :math:`y` 是 0 或 1。这就是二分类问题。
#
# scikit-learn 把每个样本放在矩阵的一行，而课堂笔记把每个样本放在一列。这里按笔记的写法来算，所以先转置一次：``X`` 的大小是 :math:`2 \times m`，``Y`` 的大小是 :math:`1 \times m`。

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from sk_shallow import ShallowNNClassifier

points, labels = make_blobs(200, centers=2, cluster_std=2.5, random_state=3)
X, Y, m = points.T, labels[None, :], len(labels)
print("X:", X.shape, " Y:", Y.shape)

# %%
# 一个单元的两步计算
# ------------------
# 一个单元做两件事：先求线性组合，再套上一个激活函数。
#
# .. math::
#    z = w^T x + b, \qquad a = \sigma(z) = \frac{1}{1 + e^{-z}}
#
# sigmoid 函数把任意实数压到 0 和 1 之间，所以 :math:`\hat y = a` 可以当作 :math:`y = 1` 的概率。
#
# 预测得好不好，由损失函数来衡量：
#
# .. math::
#    L(a, y) = -y \log a - (1 - y) \log(1 - a)
#
# :math:`y = 1` 时只剩 :math:`-\log a`，:math:`a` 越接近 1，损失越小；:math:`y = 0` 时只剩 :math:`-\log(1 - a)`，:math:`a` 越接近 0，损失越小。
#
# 对 :math:`m` 个样本的损失求平均，就是代价函数 :math:`J = \frac1m \sum_i L(a^{(i)}, y^{(i)})`，上标 :math:`(i)` 表示第 :math:`i` 个样本。训练就是寻找使 :math:`J` 最小的 :math:`w` 和 :math:`b`。

# %%
# 梯度下降
# --------
# 笔记把损失函数对 :math:`z` 的导数简记为 :math:`dz`，把代价函数对 :math:`w`、:math:`b` 的导数简记为 :math:`dw`、:math:`db`。求导的结果非常简洁：:math:`dz = a - y`\ （第四课会推导）。把 :math:`m` 个样本的 :math:`dz` 排成一行，就是 :math:`dZ`，于是
#
# .. math::
#    dw = \tfrac1m X\, dZ^T, \qquad db = \tfrac1m \sum_i dz^{(i)}
#
# 每一步沿着梯度的反方向走一小段：:math:`w := w - \alpha\, dw`，:math:`b := b - \alpha\, db`。学习率 :math:`\alpha` 决定走多远，程序里叫 ``rate``。对逻辑回归来说，参数可以全部从 0 开始；第五课会看到，有了隐藏层就不行了。
#
# 整个数据集一次算完，不需要对样本写 for 循环，这就是向量化。


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


w, b, rate = np.zeros((2, 1)), 0.0, 0.1
costs = []
for _ in range(2000):
    A = sigmoid(w.T @ X + b)
    costs.append(-np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A)))
    dZ = A - Y
    w = w - rate * (X @ dZ.T) / m
    b = b - rate * dZ.mean()

print(f"w = {w.ravel().round(3)}, b = {b:.3f}, J = {costs[-1]:.4f}")

# %%
# 与 scikit-learn 的结果对照
# --------------------------
# ``LogisticRegression`` 默认带有 L2 惩罚；把 ``C`` 设得很大，惩罚就几乎不起作用，结果应当和我们自己训练的一样。

linear = LogisticRegression(C=1e9, tol=1e-8).fit(points, labels)
print(f"w = {linear.coef_[0].round(3)}, b = {linear.intercept_[0]:.3f}")

# %%
# 与没有非线性的网络对照
# ----------------------
# 下一课要在输入和输出之间加一层单元，叫做隐藏层。如果隐藏层用恒等激励函数 :math:`g(z) = z`，那么两层线性变换合起来还是一次线性变换：:math:`W^{[2]}(W^{[1]}x + b^{[1]}) + b^{[2]} = W'x + b'`。不管隐藏层有多少个单元，这样的网络都只是逻辑回归。下面用八个单元验证一下：

identity = ShallowNNClassifier(8, activation="identity", solver="lbfgs", alpha=0.0)
identity.set_params(tol=1e-12).fit(points, labels)
gap = identity.predict_proba(points)[:, 1] - sigmoid(w.T @ X + b)
print(f"预测概率最多相差 {np.abs(gap).max():.0e}")

# %%
# 左图中的直线是 :math:`\hat y = 0.5` 的地方：一个单元只能画出一条直线。右图是代价函数随梯度下降的变化。

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.scatter(*points.T, c=labels, cmap="coolwarm", s=12)
x1 = np.array([points[:, 0].min(), points[:, 0].max()])
left.plot(x1, -(w[0, 0] * x1 + b) / w[1, 0], color="black")
left.set(xlabel="$x_1$", ylabel="$x_2$", ylim=(X[1].min() - 1, X[1].max() + 1))
right.plot(costs)
right.set(xlabel="step", ylabel="$J$")
plt.show()

# %%
# 下一课：:ref:`隐藏层与花瓣 <zh-petals>`。
