"""
.. _zh-petals:

第二课：隐藏层与花瓣
====================

有些数据用一条直线怎么也分不开。在输入和输出之间加一层单元，也就是隐藏层，直线就能弯起来。
"""

# %%
# 花瓣
# ----
# 角度从 0 转到一整圈，角度为 :math:`t` 的点画在半径 :math:`r = 4 \sin 4t` 处，再加一点噪声；:math:`r` 是负数时，点落到中心的对面。前半圈的点是一类，后半圈的点是另一类，所以两类花瓣互相交错。课程作业里的“花瓣分类器”用的就是这种数据。

import matplotlib.pyplot as plt
import numpy as np
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import LogisticRegression

from sk_shallow import ShallowNNClassifier

rng = np.random.default_rng(0)
labels = np.repeat([0, 1], 200)
t = 3.12 * labels + np.tile(np.linspace(0, 3.12, 200), 2)
t += 0.2 * rng.normal(size=400)
r = 4 * np.sin(4 * t) + 0.2 * rng.normal(size=400)
points = np.column_stack([r * np.sin(t), r * np.cos(t)])

accuracy = LogisticRegression().fit(points, labels).score(points, labels)
print(f"逻辑回归：{accuracy:.0%} 的点分对了")

# %%
# 和随便猜差不多：一条直线分不开交错的花瓣。
#
# 正向传播
# --------
# 网络分三部分：输入层就是特征 :math:`x = a^{[0]}`；隐藏层是一排单元，每个单元都像逻辑回归一样分两步计算；输出层再把隐藏层的激活值当作输入，算一次逻辑回归。之所以叫“隐藏”，是因为训练集里只有 :math:`x` 和 :math:`y`，中间这些值是看不到的。输入层不计入层数，所以这是一个两层的神经网络。
#
# .. math::
#    Z^{[1]} &= W^{[1]} X + b^{[1]}, &\qquad A^{[1]} &= \tanh(Z^{[1]}) \\
#    Z^{[2]} &= W^{[2]} A^{[1]} + b^{[2]}, &\qquad A^{[2]} &= \sigma(Z^{[2]})
#
# 从左到右依次计算，就叫正向传播（也叫前向传播）。方括号里的数字表示第几层，:math:`X` 的每一列是一个样本。:math:`b^{[1]}` 只有一列，靠 Python 的广播机制加到 :math:`W^{[1]} X` 的每一列上。
#
# 四个单元就够了
# --------------
# 这里先不管训练的细节，交给求解器 ``"lbfgs"``；第四课再来看梯度是怎样算出来的。``alpha`` 在这个库里是 L2 惩罚（也叫 L2 正则化）的强度，它使权重不至于太大；它不是学习率。

net = ShallowNNClassifier(4, activation="tanh", solver="lbfgs", alpha=0.1)
net.set_params(random_state=0).fit(points, labels)
print(f"四个隐藏单元：{net.score(points, labels):.0%} 的点分对了")

# %%
# 训练好的参数在 ``coefs_`` 和 ``intercepts_`` 里。scikit-learn 把样本放在行里，所以这些矩阵是笔记里的转置。照着上面四个等式自己做一遍正向传播，得到的概率和 ``predict_proba`` 给出的一样：

W1, W2 = (W.T for W in net.coefs_)
b1, b2 = (b[:, None] for b in net.intercepts_)
print("W1:", W1.shape, " b1:", b1.shape, " W2:", W2.shape, " b2:", b2.shape)

Z1 = W1 @ points.T + b1
A1 = np.tanh(Z1)
Z2 = W2 @ A1 + b2
A2 = 1 / (1 + np.exp(-Z2))
gap = A2[0] - net.predict_proba(points)[:, 1]
print(f"最多相差 {np.abs(gap).max():.0e}")

# %%
# 隐藏层的激活值不用自己算，``hidden_layer`` 会直接给出来，一行一个样本，一列一个单元：

print(np.allclose(net.hidden_layer(points), A1.T))

# %%
# 单元越多，弯得越细
# ------------------
# 每个隐藏单元贡献一条“折痕”。一个单元还是一条直线；四个单元已经能把花瓣一片片分开；单元太多时，边界会去追逐个别的点，这就是过拟合。在训练集上打分看不出过拟合，要用训练时没有见过的样本来评价；增大 ``alpha`` 可以减轻它。
#
# 图的标题是分对的比例和代价函数（连同惩罚）。两个单元比一个单元分对的点还略少，:math:`J` 却更小：训练使 :math:`J` 最小，而不是使分错的点最少。

figure, axes = plt.subplots(2, 2, figsize=(8, 7), layout="constrained")
for n_hidden, ax in zip((1, 2, 4, 20), axes.flat, strict=True):
    net = ShallowNNClassifier(n_hidden, activation="tanh", solver="lbfgs", alpha=0.1)
    net.set_params(random_state=0).fit(points, labels)
    DecisionBoundaryDisplay.from_estimator(
        net, points, response_method="predict_proba", cmap="coolwarm", alpha=0.5, ax=ax
    )
    ax.scatter(*points.T, c=labels, cmap="coolwarm", s=8)
    score = net.score(points, labels)
    ax.set_title(f"$n^{{[1]}} = {n_hidden}$: {score:.0%}, $J = {net.loss_:.2f}$")
    ax.set(xticks=[], yticks=[])
plt.show()

# %%
# 用笔记里的步骤、十五行 NumPy 训练同样的花瓣，并且得到和这个库相同的权重，见“:ref:`手写的花瓣 <petals-by-hand>`”（英文）。
#
# 下一课：:ref:`激活函数 <zh-activations>`。
