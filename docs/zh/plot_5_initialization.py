"""
.. _zh-initialization:

第五课：随机初始化
==================

逻辑回归的参数可以全部从 0 开始，有隐藏层的网络却不行。这一课看看为什么，以及初始权重应当多大。
"""

# %%
# 全部为 0：梯度下降不起作用
# --------------------------
# 如果 :math:`W^{[1]}` 和 :math:`W^{[2]}` 都是 0，那么用 tanh 时 :math:`A^{[1]} = 0`，所以 :math:`dW^{[2]} = 0`；又因为 :math:`W^{[2]} = 0`，所以 :math:`dW^{[1]} = 0`。走多少步权重都还是 0，对每个点的预测也都一样。

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from sk_shallow import ShallowNNClassifier, Tanh

points, labels = make_moons(300, noise=0.15, random_state=0)
settings = {
    "activation": "tanh",
    "solver": "gd",
    "alpha": 0.0,
    "learning_rate_init": 0.2,
    "max_iter": 4000,
    "n_iter_no_change": np.inf,
    "random_state": 0,
}


def fit(net):
    with warnings.catch_warnings():
        # 步数是我们定的，没有收敛也不必提醒。
        warnings.simplefilter("ignore")
        return net.fit(points, labels)


zeros = fit(ShallowNNClassifier(4, init="zeros", **settings))
print(zeros.coefs_[0])
print(zeros.coefs_[1].T)
print(f"{zeros.score(points, labels):.0%} 的点分对了")

# %%
# 全部相同：四个单元等于一个
# --------------------------
# 不是 0，但是每个单元都一样，行不行？也不行。单元的权重相同（输入的和输出的都相同），算出的激活值就相同，得到的梯度也相同，更新之后仍然相同。这叫做对称，梯度下降自己打破不了它。
#
# ``warm_start=True`` 让 ``fit`` 从现有的权重继续训练。所以先训练一次，得到网络，再把它的权重换成我们想要的，重新训练。``coefs_`` 里的矩阵是笔记里的转置，所以这里的 ``W1`` 是 :math:`2 \times 4`，一列一个单元：


def trained_from(W1, W2):
    net = fit(ShallowNNClassifier(len(W2), warm_start=True, **settings))
    net.coefs_ = [W1, W2]
    net.intercepts_ = [np.zeros(len(W2)), np.zeros(1)]
    return fit(net)


equal = trained_from(np.full((2, 4), 0.5), np.full((4, 1), 0.5))
print(equal.coefs_[0].round(3))
print(f"{equal.score(points, labels):.0%} 的点分对了")

# %%
# 权重确实变了，但四列始终一模一样，网络只能画出一条直线。
#
# 小的随机数
# ----------
# 笔记的做法是 ``np.random.randn(...) * 0.01``，偏置为 0。随机，是为了打破对称；小，是为了让 :math:`z` 落在 tanh 和 sigmoid 不平的地方。如果权重很大，:math:`|z|` 也很大，导数接近 0，学习就很慢：

rng = np.random.default_rng(0)
W1, W2 = rng.normal(size=(2, 4)), rng.normal(size=(4, 1))
for scale in 0.01, 1, 100:
    A1 = np.tanh(points @ (scale * W1))
    slopes = Tanh().slope(A1)
    print(f"{scale:>6} 倍：g'(z) 小于 0.01 的占 {np.mean(slopes < 0.01):.0%}")

# %%
# 下图是五种初始权重的代价函数。全部为 0 的网络一动不动。0.01 倍的网络很长一段时间和“全部相同”的网络几乎重合：单元之间的差别太小，要一步一步放大，才能打破对称。100 倍的网络（只放大了 :math:`W^{[1]}`）大多数单元已经饱和，也就是停在 tanh 平坦的地方，除了全部为 0 的网络，它降得最慢。

runs = {
    "zeros": zeros,
    "all equal": equal,
    "0.01 randn": trained_from(0.01 * W1, 0.01 * W2),
    "randn": trained_from(W1, W2),
    "100 randn": trained_from(100 * W1, W2),
}
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, net in runs.items():
    ax.plot(net.loss_curve_, label=f"{name}: {net.score(points, labels):.0%}")
ax.set(xlabel="step", ylabel="$J$", yscale="log")
ax.legend()
plt.show()

# %%
# 默认的做法
# ----------
# 太小了，要很久才能打破对称；太大了，单元会饱和；合适的大小还和层的宽度有关。默认的 ``init="auto"`` 采用 Glorot 的办法：随机数的方差，:math:`W^{[1]}` 取 :math:`2/(n^{[0]} + n^{[1]})`，:math:`W^{[2]}` 取 :math:`2/(n^{[1]} + n^{[2]})`。``init="normal"`` 是笔记里的 0.01 倍。输入在训练前会标准化，所以特征不论用什么单位，这个大小都合适。

for init in ("normal", "auto"):
    net = fit(ShallowNNClassifier(4, init=init, **settings))
    print(f"{init:7s} J = {net.loss_:.4f}，{net.score(points, labels):.0%} 的点分对了")

# %%
# 下一课：:ref:`手写数字 <zh-digits>`。
