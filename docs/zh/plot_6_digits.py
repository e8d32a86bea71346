"""
.. _zh-digits:

第六课：手写数字
================

最后用一个隐藏层来认手写数字：1797 张图片，每张 :math:`8 \\times 8` 个像素，十个类别。前五课的内容都用得上，只有输出层要换一下。
"""

# %%
# 从两类到十类
# ------------
# 输出层现在有十个单元，每个数字一个。标签也写成十个数：是哪个数字，哪一个就是 1，其余是 0。sigmoid 换成 softmax，让十个概率加起来等于 1：
#
# .. math::
#    a^{[2]}_j = \frac{e^{z^{[2]}_j}}{\sum_k e^{z^{[2]}_k}}, \qquad
#    L = -\sum_j y_j \log a^{[2]}_j
#
# 反向传播的第一个等式一个字都不用改：仍然是 :math:`dZ^{[2]} = A^{[2]} - Y`，其中 :math:`Y` 的每一列只有一个 1。

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from sk_shallow import ShallowNNClassifier
from sk_shallow.inspection import HiddenUnitsDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

figure, axes = plt.subplots(1, 10, figsize=(10, 1.3), layout="constrained")
for image, label, ax in zip(X, y, axes, strict=False):
    ax.imshow(image.reshape(8, 8), cmap="gray_r")
    ax.set(xticks=[], yticks=[], title=label)
plt.show()

# %%
# 五十个隐藏单元
# --------------
# 从这里起照 scikit-learn 的习惯，一行一个样本：一张图片就是一行 64 个数，不需要自己标准化。训练集用来学习，测试集只用来打分。

net = ShallowNNClassifier(50, activation="relu", alpha=1.0, random_state=0)
net.fit(X_train, y_train)
W1, W2 = (W.T for W in net.coefs_)  # 转置成笔记里的样子
print("W1:", W1.shape, " W2:", W2.shape)
print(
    f"训练集 {net.score(X_train, y_train):.1%}，测试集 {net.score(X_test, y_test):.1%}"
)

# %%
# 每个样本有十个概率，预测就是最大的那一个：

print(net.predict_proba(X_test[:3]).round(2))
print(net.predict(X_test[:3]), y_test[:3])

# %%
# 隐藏单元在看什么
# ----------------
# :math:`W^{[1]}` 的每一行是一个单元的 64 个权重，正好能画成一张图。下面画出五十个单元里权重最大的十六个，每个权重先乘上那个像素的标准差。蓝色的像素越黑，这个单元越激活；红色的像素越黑，它越受抑制。有的单元在看笔画的一段，有的在看中间是不是空的。

HiddenUnitsDisplay.from_estimator(net, X_train, image_shape=(8, 8))
plt.show()

# %%
# 选激活函数
# ----------
# 照笔记的建议，都试试，用交叉验证来比较。两个单元数、五个激活函数，每种组合训练三次，一共三十个网络；最后用最好的组合在整个训练集上再训练一次：

grid = {
    "activation": ["identity", "sigmoid", "tanh", "relu", "leaky_relu"],
    "n_hidden": [10, 50],
}
model = ShallowNNClassifier(alpha=1.0, random_state=0)
search = GridSearchCV(model, grid, cv=3).fit(X_train, y_train)
scores = search.cv_results_["mean_test_score"].reshape(5, 2)
for name, (few, many) in zip(grid["activation"], scores, strict=True):
    print(f"{name:10s}  10: {few:.3f}   50: {many:.3f}")

# %%
# 十个单元时，线性的隐藏层（``identity``）反而最好：这些图片用线性函数就能分得不错。五十个单元时，tanh、ReLU 和 Leaky ReLU 超过了它，非线性才显出优势。
#
# 认错的数字
# ----------
# 最后看看测试集里认错的图片，画出前八张。标题是“真值 → 预测”。

best = search.best_estimator_
predicted = best.predict(X_test)
wrong = np.flatnonzero(predicted != y_test)
print(f"测试集 {best.score(X_test, y_test):.1%}，认错 {len(wrong)} 张")

figure, axes = plt.subplots(1, 8, figsize=(10, 1.7), layout="constrained")
for ax in axes:
    ax.axis("off")
for i, ax in zip(wrong, axes, strict=False):
    ax.imshow(X_test[i].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{y_test[i]} → {predicted[i]}")
plt.show()

# %%
# 接下来
# ------
# - 什么也不设的 ``ShallowNNClassifier()`` 会自己选择激活函数、惩罚的强度、训练的步数和特征的编码，并且训练十个网络，取它们的平均。
# - 课程作业里的“:ref:`猫图分类器 <sphx_glr_gallery_cat_or_not.py>`”（英文）：一张图片是不是猫，用七个隐藏单元来判断。
# - 输出是一个实数的问题，比如房价，用 :class:`~sk_shallow.ShallowNNRegressor`；它还能给出预测区间。
# - 笔记的公式和源代码逐行对照，见“:ref:`笔记与代码 <notes-and-code>`”（英文）。
