# %% [markdown]
# # 10. Convolution: what f(Wx + b) does not say
#
# D3 gives the same formula for a convolutional network as for a layer of lesson 1. It is not false,
# and it leaves out all that matters: you will see the matrix W of a convolution, which is mostly
# zeros and has nine numbers in it, over and over. Its transpose runs the gradient backward. Then
# sizes: D4's network does not fit its own images, and one batch of nine slips through the error.
# D4 learns from noise; here its network learns from photographs instead, beats what knows no
# neighbours, and shows what it looks for.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_crops, load_photos, train_test_split
from minigrad.learn import BLUE, FAILS, GREEN, GREY, NOT_COMPUTABLE, RED, begin
from minigrad.train import LRScheduler, Trainer

lesson = begin("10_convolution", "Convolution: what f(Wx + b) does not say.")


def array(tensor):
    """Return a tensor's numbers, wherever they are."""
    return tensor.detach().cpu().numpy()


# %% [markdown]
# ## 1. Formulas that look alike (F18)
#
# D3 (section 3.2) lists the models by formula. The first three are
#
# $$\text{linear regression: } y = wx + b \qquad \text{MLP: } y = f(wx + b) \qquad
#   \text{CNN: } y = f(Wx + b)$$
#
# The first is what it says. The second is one layer of a multi-layer perceptron, and what the
# layers are for is exactly what one of them cannot do. The classic is *exclusive or*: 1 where one
# of two inputs is 1, and 0 where both are or none is. A single unit draws one straight line. Try
# many, and then two units before it:

# %%
rng = np.random.default_rng(0)
x, W, b = rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)
layer = nn.Linear(3, 2, dtype=mg.float64)
layer.load_state_dict({"weight": W, "bias": b})
lesson.formula(
    "D3 3.2",
    "linear regression: y = wx + b",
    lambda: x @ W.T + b,
    array(layer(mg.tensor(x))),
)

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([0, 1, 1, 0])
lines = rng.normal(size=(100_000, 2))
offsets = 2 * rng.normal(size=100_000)
right = ((CORNERS @ lines.T + offsets > 0) == XOR[:, None]).sum(0)
hidden = np.maximum(CORNERS @ [[1, 1], [1, 1]] + [0, -1], 0)  # ReLU of a + b, and of a + b - 1
assert (hidden @ [1, -2]).tolist() == XOR.tolist()
lesson.statement(
    "D3 3.2",
    "MLP: y = f(wx + b)",
    right.max() == 4,
    f"of 100,000 units the best gives {right.max()} of 4 answers of exclusive or, two units "
    "before it give all",
    "right: y = f(w2 f(w1 x + b1) + b2), and on for more layers",
    expect=FAILS,
)

# %% [markdown]
# And the third? Count. D4's first convolution takes an image of 3 colours and 32 x 32 pixels, and
# gives 32 maps of the same size. As a layer with any W it would have a weight for each pair of
# numbers.

# %%
convolution = nn.Conv2d(3, 32, 3, padding=1)
pairs = (3 * 32 * 32) * (32 * 32 * 32) + 32 * 32 * 32
own = sum(p.numel() for p in convolution.parameters())
print("\nfrom 3 x 32 x 32 numbers to 32 x 32 x 32")
print(f"  y = Wx + b with any W       {pairs:11,} numbers")
print(f"  nn.Conv2d(3, 32, 3)         {own:11,} numbers")
assert pairs == 100_696_064
assert own == 32 * 3 * 3 * 3 + 32 == 896

# %% [markdown]
# ## 2. The sum
#
# A kernel w of K numbers slides over x, and at each place i there is a sum of products:
#
# $$y_i = \sum_{k=0}^{K-1} w_k\, x_{i+k} + b$$
#
# Three ideas are in it. *Locality*: an output sees K neighbours, not all of x. *Sharing*: the same
# K numbers everywhere. And so *equivariance*: if x moves by a place, so does y, for the kernel
# finds the same thing elsewhere.
#
# The name is not quite right. A convolution in mathematics runs the kernel backwards, $\sum_k w_k\,
# x_{i-k}$, and the sum above is called a cross-correlation. The difference is a flip of the kernel:

# %%
signal = np.array([0.0, 0, 1, 2, 3, 0, 0, 0])
kernel = np.array([1.0, 10, 100])


def slide(x, w):
    """Return minigrad's convolution of a signal by a kernel, both one-dimensional."""
    return array(mg.conv1d(mg.tensor(x)[None, None], mg.tensor(w)[None, None]))[0, 0]


print("\nkernel (1, 10, 100) over (0, 0, 1, 2, 3, 0, 0, 0)")
print(f"  mg.conv1d            {slide(signal, kernel).astype(int)}")
print(f"  np.correlate         {np.correlate(signal, kernel, 'valid').astype(int)}")
print(f"  np.convolve          {np.convolve(signal, kernel, 'valid').astype(int)}")
print(f"  mg.conv1d, flipped   {slide(signal, kernel[::-1]).astype(int)}")
assert slide(signal, kernel).tolist() == np.correlate(signal, kernel, "valid").tolist()
assert slide(signal, kernel[::-1]).tolist() == np.convolve(signal, kernel, "valid").tolist()

# %% [markdown]
# Why does mathematics flip? With the flip, the order of two convolutions, and of signal and kernel,
# does not matter. A network learns its kernels, flipped or not, so nobody bothers.
#
# NB: PyTorch's, Keras' and JAX's convolutions do not flip either; SciPy's `convolve` does.
#
# ## 3. The matrix
#
# Each $y_i$ is a sum of x times weights, so y = Tx for some matrix T. Row i has the kernel in
# columns i, i + 1, ...: the same number along each diagonal. That is called a *Toeplitz* matrix.
# For an image, written row after row, it is a Toeplitz matrix of Toeplitz matrices. Several
# channels put such matrices side by side. Build it from the indices alone:


# %%
def toeplitz(w, height, width, padding=0):
    """Return the matrix T of a kernel (kh, kw) on images of this size, row after row."""
    kh, kw = w.shape
    rows, columns = height + 2 * padding - kh + 1, width + 2 * padding - kw + 1
    T = np.zeros((rows * columns, height * width))
    for i in range(rows):
        for j in range(columns):
            for k in range(kh):
                for m in range(kw):
                    r, c = i + k - padding, j + m - padding
                    if 0 <= r < height and 0 <= c < width:  # outside are zeros
                        T[i * columns + j, r * width + c] = w[k, m]
    return T


w = rng.normal(size=(3, 3))
image = rng.normal(size=(8, 8))
T = toeplitz(w, 8, 8, padding=1)
by_matrix = (T @ image.ravel()).reshape(8, 8)
by_engine = array(mg.conv2d(mg.tensor(image)[None], mg.tensor(w)[None, None], padding=1))[0]
print(f"\nT is {T.shape[0]} x {T.shape[1]}: of {T.size:,} numbers {np.count_nonzero(T)} are not 0,")
print(f"and {len(set(T[T != 0]))} of them differ; its product and the engine's convolution differ")
print(f"by {np.abs(by_matrix - by_engine).max():.0e}\n")
assert np.abs(by_matrix - by_engine).max() < 1e-14
assert len(set(T[T != 0])) == 9
lesson.formula(
    "D3 3.2",
    "F18: CNN: y = f(Wx + b), if W is the kernel's Toeplitz matrix",
    lambda: np.maximum(T @ image.ravel() + 0.1, 0),
    array(
        mg.relu(
            mg.conv2d(
                mg.tensor(image)[None],
                mg.tensor(w)[None, None],
                mg.tensor([0.1], dtype=mg.float64),
                padding=1,
            )
        )
    ).ravel(),
)

# %% [markdown]
# As D3 prints it, W is any matrix. What is lost then shows if the image moves by one pixel. T, and
# a random matrix of the same size: how far is the answer from the one before, moved by a pixel
# (away from the rim, where something comes in)?

# %%
moved = np.roll(image, 1, axis=1)
free = rng.normal(size=T.shape) / 8


def drift(matrix):
    """Return how far the moved image's answer is from the moved answer, relative to its size."""
    before = (matrix @ image.ravel()).reshape(8, 8)
    after = (matrix @ moved.ravel()).reshape(8, 8)
    return np.abs(after[:, 2:-1] - before[:, 1:-2]).max() / np.abs(before).max()


lesson.statement(
    "D3 3.2",
    "F18: CNN: y = f(Wx + b), W any matrix",
    drift(free) < 1e-12,
    f"moved by a pixel, the answer of a free W changes by {100 * drift(free):.0f} %, that of a "
    f"convolution by {100 * drift(T):.0f} %; D4's first layer would have {pairs:,} numbers, not "
    f"{own}",
    "right: y = f(w * x + b), a sum over a window; the formula printed is a dense layer's",
    expect=FAILS,
)
assert drift(T) < 1e-12

figure, (left, right_) = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
largest = np.abs(w).max()
left.imshow(T, cmap="RdBu_r", vmin=-largest, vmax=largest)
left.set_title("T: a 3 x 3 kernel on 8 x 8 pixels")
shown = right_.imshow(free, cmap="RdBu_r", vmin=-largest, vmax=largest)
right_.set_title("W: a free matrix of the same size")
for axes in (left, right_):
    axes.set_xlabel("input pixel, row after row")
    axes.set_ylabel("output pixel, row after row")
figure.colorbar(shown, ax=(left, right_), shrink=0.8, label="weight")
lesson.save(
    figure,
    "10_convolution_toeplitz.png",
    "The matrix of a convolution has nine numbers on its diagonals and is white (zero) elsewhere; "
    "a dense layer's matrix has 4,096 numbers.",
)

# %% [markdown]
# Nobody multiplies by T, which is mostly zeros. Libraries turn the product around: the *windows*
# become the rows of a matrix (`im2col`), and the kernel a column. The windows overlap, so that
# this matrix repeats pixels; a step between windows, the *stride*, leaves some out.

# %%
windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))  # (6, 6, 3, 3), no padding
for stride in (1, 2):
    rows = windows[::stride, ::stride].reshape(-1, 9)
    found = array(mg.conv2d(mg.tensor(image)[None], mg.tensor(w)[None, None], stride=stride))
    assert np.abs(rows @ w.ravel() - found.ravel()).max() < 1e-14
    print(f"  stride {stride}: {len(rows):2} windows of 9 pixels, the product is the convolution's")

# %% [markdown]
# ## 4. Backward
#
# With y = Tx, lesson 2's rule gives $\partial J / \partial x = T^T g$ for the gradient g of the
# output. $T^T$ has the kernel in its columns: each $g_i$ lays down the kernel, times itself, over
# the window that it was computed from. That is itself a layer, the *transposed convolution*, which
# goes from small to large. The kernel's gradient adds up what each weight was multiplied with, and
# the bias has a part in every output:
#
# $$\frac{\partial J}{\partial x} = T^T g \qquad
#   \frac{\partial J}{\partial w_{km}} = \sum_{ij} g_{ij}\, x_{i+k,\,j+m} \qquad
#   \frac{\partial J}{\partial b} = \sum_{ij} g_{ij}$$
#
# The second is a sum of products over a sliding window again: the convolution of x by g.

# %%
xs, ws = mg.tensor(image, requires_grad=True), mg.tensor(w, requires_grad=True)
bs = mg.tensor([0.1], dtype=mg.float64, requires_grad=True)
y = mg.conv2d(xs[None], ws[None, None], bs)  # no padding: 8 x 8 to 6 x 6
g = rng.normal(size=(1, 6, 6))
y.backward(mg.tensor(g))
T_valid = toeplitz(w, 8, 8)
transposed = array(mg.conv_transpose2d(mg.tensor(g), mg.tensor(w)[None, None]))[0]
by_hand = {
    "x: T^T g": ((T_valid.T @ g.ravel()).reshape(8, 8), xs.grad),
    "x: transposed convolution": (transposed, xs.grad),
    "w: convolution of x by g": (
        np.array(
            [[np.sum(g[0] * image[k : k + 6, m : m + 6]) for m in range(3)] for k in range(3)]
        ),
        ws.grad,
    ),
    "b: sum of g": (np.array([g.sum()]), bs.grad),
}
print("\ngradients, by hand and by the engine")
for name, (hand, engine) in by_hand.items():
    apart = np.abs(hand - array(engine)).max()
    print(f"  by {name:28} {'x'.join(map(str, hand.shape)):>4}, differ by {apart:.0e}")
    assert apart < 1e-13
report = mg.gradcheck(
    lambda x, w, b: mg.conv2d(x, w, b, stride=2, padding=1),
    [mg.tensor(rng.normal(size=s)) for s in ((2, 3, 5, 6), (4, 3, 3, 3), (4,))],
)
print(f"  mg.gradcheck, two images, 3 to 4 channels, stride 2, padding 1: {report.verdict}")
assert report.verdict == "passed"

# %% [markdown]
# ## 5. Sizes (F19)
#
# With n pixels, a kernel of K, p zeros added at each end and a stride of s, there is room for
#
# $$n' = \left\lfloor \frac{n + 2p - K}{s} \right\rfloor + 1$$
#
# windows. A *pooling* keeps one number of each window, here the largest of 2 x 2 with stride 2, so
# that n' is half of n. (If the kernel has gaps of d, its length is d (K - 1) + 1.)


# %%
def size(n, kernel, stride=1, padding=0, dilation=1):
    """Return the number of windows."""
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


checked = 0
for n in (5, 8, 32):
    for k in (1, 2, 3, 5):
        for s in (1, 2, 3):
            for p in (0, 1, 2):
                for d in (1, 2):
                    if size(n, k, s, p, d) > 0:
                        found = mg.conv1d(mg.ones(1, 1, n), mg.ones(1, 1, k), None, s, p, d)
                        assert found.shape[-1] == size(n, k, s, p, d)
                        checked += 1
print(f"\nthe formula gives the size in {checked} of {checked} cases")

# %% [markdown]
# D4 (section 4.1) has images of 32 x 32, two convolutions of 3 x 3 with padding 1, each followed by
# ReLU and a pooling, and then a dense layer for 64 x 6 x 6 numbers. Follow the sizes:


# %%
def d4_sizes(n, padding):
    """Return the size before D4's network, and after each of its steps."""
    sizes = [n]
    for _ in range(2):
        sizes.append(size(sizes[-1], 3, padding=padding))
        sizes.append(size(sizes[-1], 2, stride=2))
    return sizes


print("sizes in D4's network: image, convolution, pooling, convolution, pooling")
for n, padding in ((32, 1), (24, 1), (32, 0)):
    print(f"  image {n}, padding {padding}: {' -> '.join(map(str, d4_sizes(n, padding)))}")
assert d4_sizes(32, 1)[-1] == 8
assert d4_sizes(24, 1)[-1] == d4_sizes(32, 0)[-1] == 6
print()
lesson.formula(
    "D4 4.1",
    "F19: the dense layer takes 64*6*6 numbers",
    lambda: 64 * 6 * 6,
    64 * d4_sizes(32, 1)[-1] ** 2,
    "right: 64*8*8; 6 belongs to images of 24, or to 32 without the padding",
    expect=FAILS,
)


def d4_network(inputs):
    """Return D4's network with so many inputs of the first dense layer."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2, 2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2, 2),
        nn.Flatten(),
        nn.Linear(inputs, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


refusals = []
for images in (4, 9):
    body = d4_network(64 * 6 * 6)[:6]  # up to the second pooling
    maps = body(mg.zeros(images, 3, 32, 32))
    try:
        rows = maps.reshape(-1, 64 * 6 * 6)
        print(f"\n{images} images: reshape(-1, 64*6*6) makes {len(rows)} rows of {images} images")
        mg.cross_entropy(nn.Linear(64 * 6 * 6, 10)(rows), mg.zeros(images, dtype=mg.int64))
    except ValueError as error:
        refusals.append(str(error))
        print(f"{images} images: the engine says\n  {error}")
try:
    d4_network(64 * 6 * 6)(mg.zeros(4, 3, 32, 32))
except ValueError as error:
    refusals.append(str(error))
    print(f"with nn.Flatten in place of view:\n  {error}")
assert "64 * 8 * 8 = 4096" in refusals[0]
assert "[16, 10]" in refusals[1]
ends = np.arange(0, 9 * 4096 + 1, 2304)  # of the sixteen rows; an image ends at each 4096
assert np.count_nonzero(ends[:-1] // 4096 != (ends[1:] - 1) // 4096) == 8
assert "nn.Linear(4096, 128)" in refusals[2]

# %% [markdown]
# Look at the nine. 9 x 4096 is 16 x 2304, so `reshape` has nothing to object to: it cuts nine
# images into sixteen rows, of which eight have numbers of two images. Only the loss, which has nine
# labels, notices. `flatten(1)`, or `nn.Flatten`, keeps the first axis, and cannot do this.
#
# NB: D4 has `view` for `reshape`. In PyTorch the two do the same here. minigrad's maps lie in
# memory with their channels last, where `view`, which never copies, refuses to cut across them.
#
# The code as printed stops even before: it calls `F.relu`, and nothing is named F. With 64 x 8 x 8
# the network has
#
# $$(3 \cdot 9 + 1)\, 32 + (32 \cdot 9 + 1)\, 64 + (4096 + 1)\, 128 + (128 + 1)\, 10 = 545{,}098$$
#
# parameters, nearly all in the one layer that is not a convolution.

# %%
count = sum(p.numel() for p in d4_network(64 * 8 * 8).parameters())
assert count == 28 * 32 + 289 * 64 + 4097 * 128 + 129 * 10 == 545_098
print(f"\nD4's network with 64*8*8: {count:,} parameters, {4097 * 128 / count:.0%} in one layer\n")
names = {"self": None, "x": None}
lesson.formula(
    "D4 4.1",
    "the forward pass calls F.relu",
    lambda: eval("F.relu", {}, names),
    0.0,
    "right: import torch.nn.functional as F",
    expect=NOT_COMPUTABLE,
)

# %% [markdown]
# ## 6. Pooling
#
# The largest of each window: what was found matters more than where. Its gradient goes to the
# winner alone; the others had no part in the output. And where two tie, minigrad, like PyTorch,
# gives it to the first.

# %%
pixels = mg.tensor([[[1.0, 7, 2, 2], [3, 4, 0, 2]]], requires_grad=True)
pooled = mg.max_pool2d(pixels, 2)
pooled.backward(mg.tensor([[[10.0, 20.0]]]))
print("\npooling of 2 x 2, and the gradient (10, 20) of its two outputs")
for row, slopes in zip(array(pixels)[0], array(pixels.grad)[0], strict=True):
    print(f"  {row}    {slopes}")
assert array(pooled).tolist() == [[[7, 2]]]
assert array(pixels.grad).tolist() == [[[0, 10, 20, 0], [0, 0, 0, 0]]]

# %% [markdown]
# ## 7. Noise for data (F20)
#
# D4 trains on 60,000 images of random numbers with random labels, all in one batch, for ten
# epochs. First, that batch. What is kept for the backward pass, in float32:

# %%
N = 60_000
kept = {
    "images": 3 * 32 * 32,
    "conv 1": 32 * 32 * 32,
    "ReLU": 32 * 32 * 32,
    "pooling": 32 * 16 * 16,
    "conv 2": 64 * 16 * 16,
    "ReLU ": 64 * 16 * 16,
    "pooling ": 64 * 8 * 8,
    "dense": 128 + 128 + 10,
}
print(f"\none batch of {N:,} images, float32")
for name, each in kept.items():
    print(f"  {name:8} {4 * N * each / 1e9:6.2f} GB")
total = 4 * N * sum(kept.values()) / 1e9
print(f"  in all   {total:6.2f} GB, and as much again for the gradients, in the worst case")
assert abs(4 * N * kept["images"] / 1e6 - 737.28) < 1e-9
assert 26 < total < 29

# %% [markdown]
# Second, ten epochs of one batch are ten steps. And third, there is nothing to learn: a label that
# was drawn by chance is in no image. The best that can be said of a new one is 1/10 for each class,
# a loss of ln 10 = 2.3026. Ten steps as in D4, on 200 such images; then 64 of them, with momentum,
# until the network knows them by heart:

# %%
mg.manual_seed(0)
noise, labels = mg.randn(264, 3, 32, 32), mg.randint(0, 10, (264,))


def learn(images, targets, steps, momentum):
    """Train D4's network on one batch; return the loss at each step, and the network."""
    mg.manual_seed(1)
    model = d4_network(64 * 8 * 8)
    optimiser = optim.SGD(model.parameters(), lr=0.01, momentum=momentum)
    losses = []
    for _ in range(steps):
        loss = mg.cross_entropy(model(images), targets)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return losses, model


as_d4, _ = learn(noise[:200], labels[:200], 10, 0.0)
by_heart, model = learn(noise[:64], labels[:64], 60, 0.9)
with mg.no_grad():
    answers = model(noise)
new_loss = mg.cross_entropy(answers[64:], labels[64:]).item()
hits = array(answers).argmax(1) == array(labels)
print(f"\nten steps as in D4: the loss goes from {as_d4[0]:.4f} to {as_d4[-1]:.4f}")
print(f"64 images by heart: loss {by_heart[-1]:.4f}, {hits[:64].mean():.0%} right")
print(f"  200 other images: loss {new_loss:.4f}, {hits[64:].mean():.0%} right; ln 10 is 2.3026\n")
assert abs(as_d4[-1] - math.log(10)) < 0.05
assert by_heart[-1] < 0.5
assert hits[:64].mean() > 0.9
assert hits[64:].mean() < 0.2
assert new_loss > math.log(10)
lesson.statement(
    "D4 4.1",
    "F20: the network is trained on random images with random labels",
    new_loss < math.log(10) - 0.05,
    f"after ten steps the loss is {as_d4[-1]:.2f}; learned by heart, new images have a loss of "
    f"{new_loss:.2f}, and knowing nothing has {math.log(10):.2f}; one batch of all takes "
    f"{total:.0f} GB",
    "right: images that have to do with their labels, in batches",
    expect=FAILS,
)

# %% [markdown]
# ## 8. Photographs (S7)
#
# The same network on the crops of lesson 8: 32 x 32 pixels out of ten photographs, and the question
# is which photograph. Cells of a photo are either for training or for the test, so that no test
# pixel was seen. D4's optimiser gets momentum, batches of 16, and a rate that falls in a cosine to
# 0 over the ten epochs. For comparison: a dense network of two layers with the same settings, and
# two nearest neighbours, by pixels and by mean and deviation of the three colours.

# %%
crops = load_crops()
_, test_cells = train_test_split(160, 0.25, seed=0, stratify=crops.y[::9])
is_test = np.isin(crops.cell, test_cells)
images = (crops.x / np.float32(127.5) - 1).astype(np.float32)  # 0..255 to -1..1
train = images[~is_test], crops.y[~is_test]
test = images[is_test], crops.y[is_test]
print(f"\n{len(train[1]):,} crops to learn from, {len(test[1])} to be tested on")


def fit(model):
    """Train a model; return its trainer and its history."""
    optimiser = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    trainer = Trainer(model, nn.CrossEntropyLoss(), optimiser, ["accuracy"])
    falling = LRScheduler(optim.lr_scheduler.CosineAnnealingLR(optimiser, 10))
    history = trainer.fit(
        train, 10, validation_data=test, batch_size=16, callbacks=[falling], verbose=0
    )
    return trainer, history


def nearest(known, asked):
    """Return the accuracy of the nearest training crop's photo."""
    squares = (asked**2).sum(1)[:, None] + (known**2).sum(1) - 2 * asked @ known.T
    return float((train[1][squares.argmin(1)] == test[1]).mean())


def colours(x):
    """Return mean and deviation of the channels."""
    return np.concatenate([x.mean((2, 3)), x.std((2, 3))], axis=1)


mg.manual_seed(0)
cnn, history = fit(d4_network(64 * 8 * 8))
mg.manual_seed(0)
dense = nn.Sequential(nn.Flatten(), nn.Linear(3072, 128), nn.ReLU(), nn.Linear(128, 10))
_, dense_history = fit(dense)
results = {
    "nearest crop, by pixels": nearest(*(x.reshape(len(x), -1) for x, _ in (train, test))),
    "dense 3072-128-10": dense_history["val_accuracy"][-1],
    "nearest crop, by colours": nearest(colours(train[0]), colours(test[0])),
    "D4's network": history["val_accuracy"][-1],
}
for name, accuracy in results.items():
    print(f"  {name:26} {accuracy:6.1%} of the test crops right")
assert history["val_accuracy"][-1] == max(results.values()) > 0.75
assert results["D4's network"] > results["dense 3072-128-10"] + 0.05

found = array(cnn.predict(test[0])).argmax(1)
each = [float((found[test[1] == k] == k).mean()) for k in range(10)]
figure, (left, right_) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")
epochs = range(1, 11)
for name, run, colour in (("D4's network", history, BLUE), ("dense", dense_history, RED)):
    for key, line, part in (("accuracy", "--", "training"), ("val_accuracy", "-", "test")):
        percent = [100 * a for a in run[key]]
        left.plot(epochs, percent, line, color=colour, label=f"{name}, {part}")
by_colours = 100 * results["nearest crop, by colours"]
left.axhline(by_colours, color=GREEN, linestyle="-.", label="nearest crop, by colours")
left.axhline(10, color=GREY, linestyle=":", label="guessing: 10 %")
left.set_xlabel("epoch")
left.set_ylabel("accuracy (%)")
left.set_ylim(0, 102)
left.set_title("Which photo is this crop from?")
left.legend(fontsize=8)
left.grid(alpha=0.25)
bars = right_.barh(range(10), [100 * a for a in each], color=BLUE)
right_.bar_label(bars, fmt="%.0f", padding=3, fontsize=8)
right_.set_yticks(range(10), crops.class_names)
right_.invert_yaxis()
right_.set_xlim(0, 109)
right_.set_xlabel("test crops right, by photo (%)")
right_.set_title("D4's network, after ten epochs")
figure.supxlabel(
    "1,080 crops of 32 x 32 pixels to learn from, 360 to be tested on, of other cells; SGD with "
    "momentum, batches of 16",
    fontsize=9,
)
lesson.save(
    figure,
    "10_convolution_training.png",
    "Accuracy of D4's network and of a dense one by epoch on crops of photographs, and the share "
    "of each photo's test crops that D4's network gets right.",
)

# %% [markdown]
# ## 9. What it looks for
#
# A kernel of the first layer has 3 x 3 pixels and three colours, so it can be drawn as what it
# answers to most. And a convolution does not care for the size of its image: give it a whole
# photograph, and each map shows where its kernel found something. Many maps are alike; the seven
# drawn are chosen one after the other, each the least like those before.

# %%
first = cnn.model[0]
kernels = array(first.weight)  # (32, 3, 3, 3)
mg.manual_seed(0)
moved_by = np.linalg.norm(kernels - array(d4_network(4096)[0].weight)) / np.linalg.norm(kernels)
print(f"\nin training the 32 kernels have moved by {moved_by:.0%} of their length")
assert 0.4 < moved_by < 0.6
photos = load_photos()
picture = photos.x[photos.class_names.index("temple")]
with mg.no_grad():
    maps = array(mg.relu(first(mg.tensor((picture / np.float32(127.5) - 1)[None]))))[0]
assert maps.shape == (32, 256, 256)
live = np.flatnonzero(maps.std((1, 2)) > 0.2 * maps.std((1, 2)).max())
alike = np.abs(np.corrcoef(maps[live].reshape(len(live), -1)))
shown = [int(maps[live].std((1, 2)).argmax())]
while len(shown) < 7:
    shown.append(int(alike[shown].max(0).argmin()))
drawn = [int(live[i]) for i in shown]
assert len(set(drawn)) == 7

figure = plt.figure(figsize=(12, 8), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=(1, 2.6))
above.suptitle("The 32 kernels of the first layer; numbered: those of the maps below", fontsize=11)
for place, axes in enumerate(above.subplots(2, 16).flat):
    kernel = kernels[place].transpose(1, 2, 0)
    axes.imshow(0.5 + 0.5 * kernel / np.abs(kernel).max())
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(str(1 + drawn.index(place)) if place in drawn else " ", fontsize=9, labelpad=2)
panels = list(below.subplots(2, 4).flat)
panels[0].imshow(picture.transpose(1, 2, 0))
panels[0].set_title("the photo, 256 x 256 pixels", fontsize=10)
for number, (axes, place) in enumerate(zip(panels[1:], drawn, strict=True), start=1):
    axes.imshow(maps[place], cmap="gray")
    axes.set_title(f"kernel {number} (white: found)", fontsize=10)
for axes in panels:
    axes.axis("off")
lesson.save(
    figure,
    "10_convolution_filters.png",
    "The first layer's kernels after training, in colour, and seven of its maps of a whole photo.",
)

# %% [markdown]
# The kernels look like the noise that they were drawn from: a thousand crops move them by half of
# their length, and do not need thirty-two of them. The maps tell more: bright sky, red walls, green
# bushes, edges of roofs. Kernels of clean edges and colours, as in books, take many more images.

# %%
print()
lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 10`. And to try in this file:
#
# 1. A convolution with a 1 x 1 kernel: what is its matrix T? Which layer of lesson 1 does it apply,
#    and to what?
# 2. Find the bug: a network's `im2col` takes `windows[::stride]` where section 3 has two strides.
#    For which images does the output have the right shape all the same?
# 3. Take the padding away and stack twenty convolutions of 3 x 3. How small is an image of 32 after
#    each, and how many pixels of the image does one output depend on?
# 4. Shuffle the pixels of all crops by one and the same permutation, and train both networks of
#    section 8 again. Which one does not care, and why?
# 5. Put a stride of 2 into the convolutions and leave the poolings out. Do the sizes agree? What
#    happens to the accuracy, and to the time of an epoch?
# 6. Find the bug: `nn.Conv2d(1, 8, 3)` is given images of shape (N, 28, 28). What are the 28 taken
#    for, and what does the engine say?
#
# Next: lesson 11 slides along time, where what was seen before has to be remembered.
