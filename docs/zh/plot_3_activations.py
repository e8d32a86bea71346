"""
.. _zh-activations:

第三课：激活函数
================

隐藏层必须有非线性的激活函数，否则整个网络只能计算线性函数，和第一课的逻辑回归没有区别。这一课看四个激活函数和它们的导数，并比较用它们训练的结果。
"""

# %%
# 四个函数和它们的导数
# --------------------
# ================  ===================================  =============================
# 名字              函数                                 导数
# ================  ===================================  =============================
# sigmoid           :math:`a = \frac{1}{1 + e^{-z}}`     :math:`a (1 - a)`
# tanh              :math:`a = \tanh z`                  :math:`1 - a^2`
# ReLU              :math:`a = \max(0, z)`               :math:`z > 0` 时为 1，否则为 0
# Leaky ReLU        :math:`a = \max(0.01 z, z)`          :math:`z > 0` 时为 1，否则为 0.01
# ================  ===================================  =============================
#
# 注意，四个导数都可以只用 :math:`a` 写出来（ReLU 和 Leaky ReLU 的 :math:`z > 0` 就是 :math:`a > 0`），所以反向传播时不需要保留 :math:`z`。后两个函数在 :math:`z = 0` 处没有导数，笔记说取哪一边的值都可以，这里取左边的。在代码里，``forward`` 由 :math:`z` 求 :math:`a`，``slope`` 由 :math:`a` 求导数。

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.model_selection import GridSearchCV

from sk_shallow import LeakyReLU, Logistic, ReLU, ShallowNNClassifier, Tanh

functions = {
    "sigmoid": Logistic(),
    "tanh": Tanh(),
    "relu": ReLU(),
    "leaky_relu": LeakyReLU(),
}
z = np.linspace(-5, 5, 401)
figure, axes = plt.subplots(2, 2, figsize=(7, 5), layout="constrained")
for (name, g), ax in zip(functions.items(), axes.flat, strict=True):
    a = g.forward(z)
    ax.plot(z, a, label="$g(z)$")
    ax.plot(z, g.slope(a), linestyle="dashed", label="$g'(z)$")
    ax.set(title=name, xlabel="$z$", ylim=(-1.2, 2.2))
axes[0, 0].legend()
plt.show()

# %%
# tanh 与 sigmoid
# ---------------
# tanh 是 sigmoid 经过伸缩和平移得到的：:math:`\tanh z = 2 \sigma(2z) - 1`。它的输出以 0 为中心，下一层学起来更容易，所以在隐藏层里一般比 sigmoid 好。二分类的输出层则要用 sigmoid，因为 :math:`\hat y` 应当在 0 和 1 之间；这个库会自动用它。

sigmoid, tanh = functions["sigmoid"], functions["tanh"]
print(np.allclose(tanh.forward(z), 2 * sigmoid.forward(2 * z) - 1))

# %%
# 梯度弥散
# --------
# :math:`|z|` 很大时，sigmoid 和 tanh 都是平的，导数接近 0，梯度下降几乎走不动，笔记里称为梯度弥散（也常叫梯度消失）。ReLU 在正半轴的导数恒为 1，没有这个问题；但在负半轴导数为 0，这时单元不再学习。Leaky ReLU 在那里留了一点斜率。下面的三列是 :math:`z = -10`、:math:`0.5`、:math:`10` 处的导数：

for name, g in functions.items():
    slopes = g.slope(g.forward(np.array([-10.0, 0.5, 10.0])))
    print(f"{name:10s}", "  ".join(f"{slope:.1e}" for slope in slopes))

# %%
# 用梯度下降比较
# --------------
# 同样的数据、同样的学习率、同样的初始权重，只换激活函数，看代价函数怎样下降。图例里的百分数是分对的比例。

points, labels = make_moons(300, noise=0.15, random_state=0)
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name in ("identity", "sigmoid", "tanh", "relu", "leaky_relu"):
    net = ShallowNNClassifier(10, activation=name, solver="gd", alpha=0.0)
    net.set_params(learning_rate_init=0.1, max_iter=2000, n_iter_no_change=np.inf)
    with warnings.catch_warnings():
        # 步数是我们定的，没有收敛也不必提醒。
        warnings.simplefilter("ignore")
        net.set_params(random_state=0).fit(points, labels)
    ax.plot(net.loss_curve_, label=f"{name}: {net.score(points, labels):.0%}")
ax.set(xlabel="step", ylabel="$J$", yscale="log")
ax.legend()
plt.show()

# %%
# ``"identity"`` 是恒等激励函数，它停在逻辑回归能达到的地方，再也下不去。两千步之后，ReLU 和 Leaky ReLU 最低（两条线几乎重合），其次是 tanh，然后是 sigmoid。
#
# 不知道选哪个？都试试
# --------------------
# 笔记的建议是：不确定用哪个激活函数时，就都试一试，在验证集上评价，哪个好就用哪个。scikit-learn 的 ``GridSearchCV`` 用交叉验证来做这件事：``cv=5`` 把样本分成五份，轮流拿一份当验证集，其余四份用来训练，五次的得分取平均：

names = ["identity", "sigmoid", "tanh", "relu", "leaky_relu"]
model = ShallowNNClassifier(10, solver="lbfgs", alpha=0.1, random_state=0)
search = GridSearchCV(model, {"activation": names}, cv=5).fit(points, labels)
for name, score in zip(names, search.cv_results_["mean_test_score"], strict=True):
    print(f"{name:10s} {score:.3f}")

# %%
# 如果什么也不设，这个库会让几种方案赛跑，由没有参加训练的样本来裁决，``activation_`` 说明选中了哪一个。
#
# 下一课：:ref:`反向传播 <zh-backpropagation>`。
