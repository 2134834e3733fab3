# %% [markdown]
# # 12. Attention, and a small transformer that tells stories
#
# A recurrent network passes a message along, step by step, and much gets lost on the way. Attention
# lets every word look at every other one directly. You will see it computed by hand for three
# words, why there is a square root in it, what its mask is for and five ways to get that wrong,
# and how it knows the order of words, which by itself it does not. Then a transformer of 28,000
# parameters learns to tell stories, and since we know how the stories are made, we can say how good
# it could be at best, and how many of its stories make sense.

# %%
import math
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.learn import BLUE, FAILS, GREEN, GREY, NOT_COMPUTABLE, RED, begin

lesson = begin("12_attention", "Attention, and a small transformer that tells stories.")


def host(tensor):
    """Return a tensor's values as an array, wherever the tensor is."""
    return tensor.detach().cpu().numpy()


# %% [markdown]
# ## 1. A layer that looks at one word at a time (F18)
#
# D3, section 3.2, gives the transformer in one formula: $y = f(x W^T + b)$. With x a sentence, a
# row for each word, that is a dense layer, which treats each row by itself. Whatever stands
# elsewhere in the sentence, a word comes out the same. Put to the test: three words of four numbers
# each, and for each pair the question how much output i changes with word j. `mg.jacobian` answers
# it.

# %%
rng = np.random.default_rng(0)
SIZE = 4
sentence = rng.normal(size=(3, SIZE))
weight, bias = mg.tensor(rng.normal(size=(SIZE, SIZE))), mg.tensor(rng.normal(size=SIZE))


def influence(layer, x):
    """Return how strongly output i depends on word j, for all pairs of i and j."""
    slopes = host(mg.jacobian(layer)(mg.tensor(x)))  # output, entry, word, entry
    return np.sqrt((slopes**2).sum(axis=(1, 3)))


def dense(x):
    """The document's formula."""
    return mg.tanh(x @ weight.T + bias)


def attend(x):
    """What is coming: each word looks at all."""
    return mg.scaled_dot_product_attention(x, x, x)


print("how much the output (row) depends on the word (column)")
print("  dense layer               attention")
by_dense, by_attention = influence(dense, sentence), influence(attend, sentence)
for one, other in zip(by_dense, by_attention, strict=True):
    print("  " + "".join(f"{v:8.3f}" for v in one) + "  " + "".join(f"{v:8.3f}" for v in other))
others = ~np.eye(3, dtype=bool)
lesson.statement(
    "D3 3.2", "F18: transformer, y = f(x W^T + b)",
    (by_dense[others] > 0).all(),
    f"of the 6 pairs of different words, {int((by_dense[others] > 0).sum())} influence each other; "
    f"with attention {int((by_attention[others] > 0).sum())} do",
    "right: softmax(Q K^T / sqrt(d)) V mixes the words; the printed formula is a dense layer, and "
    "sees each alone",
    expect=FAILS,
)  # fmt: skip
assert (by_attention > 0).all()

# %% [markdown]
# ## 2. Three words, by hand
#
# Each word has three rows of numbers: a *query*, what it is looking for; a *key*, what it can be
# found by; a *value*, what it hands over. A query is compared with all keys by a dot product, the
# scores become weights by a softmax (lesson 5), and the word takes the mean of all values with
# these weights (D. Bahdanau and others, 2015; A. Vaswani and others, 2017):
#
# $$\text{attention}(Q, K, V) = \text{softmax}\Bigl(\frac{Q K^T}{\sqrt d}\Bigr) V$$
#
# with d the length of a query; the square root is for section 3. Say the sentence is "anna ball
# she", and the four features are: person, thing, female, anything else. "She" looks for a person
# who is female, "ball" for a person, "anna" for a thing.

# %%
THREE = ("anna", "ball", "she")
Q = np.array([[0.0, 2, 0, 0], [2, 0, 0, 0], [2, 0, 2, 0]])
K = np.array([[2.0, 0, 2, 0], [0, 2, 0, 0], [1, 0, 1, 0]])
V = np.array([[1.0, 0], [0, 1], [0, 0]])

print("\nword    query      scores, divided by 2       weights                  result")
by_hand = np.zeros((3, 2))
for i, word in enumerate(THREE):
    scores = [sum(q * k for q, k in zip(Q[i], key, strict=True)) / math.sqrt(4) for key in K]
    powers = [math.exp(s) for s in scores]
    weights = [p / sum(powers) for p in powers]
    by_hand[i] = sum(w * value for w, value in zip(weights, V, strict=True))
    print(f"{word:6}" + "".join(f"{q:3.0f}" for q in Q[i]) + "  " + "".join(
        f"{s:7.1f}" for s in scores) + "     " + "".join(f"{w:8.4f}" for w in weights)
        + "     " + "".join(f"{v:8.4f}" for v in by_hand[i]))  # fmt: skip
    assert abs(sum(weights) - 1) < 1e-15
assert [round(float(v), 4) for v in by_hand[2]] == [0.8668, 0.0159]
e = math.e
assert abs(by_hand[2][0] - e**4 / (e**4 + 1 + e**2)) < 1e-15

q, k, v = (mg.tensor(a) for a in (Q, K, V))
in_ops = mg.softmax(q @ k.T / 2, -1) @ v
at_once = mg.scaled_dot_product_attention(q, k, v)
assert np.abs(host(in_ops) - by_hand).max() < 1e-14
assert np.abs(host(at_once) - by_hand).max() < 1e-14
assert mg.gradcheck(mg.scaled_dot_product_attention, (q, k, v))
print("by hand, in three ops and in one: the same")

# %% [markdown]
# "She" takes 87 % of "anna", which is what she refers to. Nobody wrote that down as a rule: it
# comes from the numbers, and numbers can be learned. In a network, queries, keys and values are
# three dense layers of the words.
#
# Nothing on the way depends on how far apart two words are.
#
# ## 3. Why the square root
#
# A dot product of d products of independent numbers with variance 1 has variance d, so scores are
# of size $\sqrt d$. Softmax of large scores puts all on the largest: the weights become 0 and 1,
# and there its slopes, $w_i (\delta_{ij} - w_j)$, are 0. Attention then looks at one word and
# learns nothing about the others. Measured with 16 keys and random queries:

# %%
WIDTHS = (4, 16, 64, 256, 1024)


def saturation(d, scale, count=400, keys=16):
    """Return the scores' spread, the mean largest weight, and the mean length of the slopes."""
    draw = np.random.default_rng(d)
    queries, found = draw.normal(size=(count, d)), draw.normal(size=(count, keys, d))
    scores = np.einsum("nd,nkd->nk", queries, found) * scale
    w = host(mg.softmax(mg.tensor(scores), -1))
    slopes = w[:, :, None] * (np.eye(keys) - w[:, None, :])
    return scores.std(), w.max(axis=1).mean(), np.sqrt((slopes**2).sum(axis=(1, 2))).mean()


print("\n          scores q k                           scores q k / sqrt(d)")
print("    d    spread  largest weight  slopes        spread  largest weight  slopes")
table = {d: (saturation(d, 1.0), saturation(d, d**-0.5)) for d in WIDTHS}
for d, (raw, scaled) in table.items():
    print(f"{d:5} {raw[0]:9.2f} {raw[1]:12.3f} {raw[2]:11.4f} {scaled[0]:13.2f} {scaled[1]:12.3f} "
          f"{scaled[2]:11.4f}")  # fmt: skip
    assert abs(raw[0] / math.sqrt(d) - 1) < 0.15
    assert abs(scaled[0] - 1) < 0.15
assert table[1024][0][1] > 0.95
assert table[1024][1][1] < 0.35
assert table[1024][0][2] < 0.2 * table[1024][1][2]

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.1), layout="constrained")
for column, (label, colour, style) in enumerate(
    (("q k", RED, "s--"), (r"q k / $\sqrt{d}$", BLUE, "o-"))
):
    for axes, entry in ((left, 1), (right, 2)):
        axes.semilogx(
            WIDTHS, [table[d][column][entry] for d in WIDTHS], style, color=colour, label=label
        )
left.axhline(1 / 16, color=GREY, linestyle=":", label="all 16 alike: 1/16")
left.set_ylabel("largest of 16 weights, mean")
left.set_ylim(0, 1.02)
left.set_title("Large scores look at one word only")
right.set_ylabel("length of the softmax's slopes, mean")
right.set_ylim(bottom=0)
right.set_title("and pass little gradient")
for axes in (left, right):
    axes.set_xticks(WIDTHS, [str(d) for d in WIDTHS])
    axes.minorticks_off()
    axes.set_xlabel("length d of queries and keys")
    axes.grid(alpha=0.25)
    axes.legend()
lesson.save(
    figure, "12_attention_scale.png",
    "Softmax weights of random scores over 16 keys and their slopes, with and without the root.",
)  # fmt: skip

# %% [markdown]
# ## 4. Words have no places
#
# Shuffle the words, and the results are shuffled in the same way, to the last digit or so:
# attention does not see that "tom thanks mia" and "mia thanks tom" differ. So a *positional
# encoding* is added to each word. The one of 2017 has for position t pairs of a sine and a cosine,
# with wavelengths from $2 \pi$ up:
#
# $$p_{t, 2i} = \sin(t / 10000^{2i/d}), \qquad p_{t, 2i+1} = \cos(t / 10000^{2i/d})$$
#
# Going k places further turns each pair by an angle that depends on k and not on t. So "three words
# before me" is the same turn everywhere, which a dense layer can learn. (D4, section 3.4, names
# positional encoding for this, rightly. Its other half of that sentence is judged in section 7.)

# %%
words = rng.normal(size=(5, 8))
shuffled = rng.permutation(5)


def self_attention(x):
    """Return each word's attention to all, as an array."""
    x = mg.tensor(x)
    return host(mg.scaled_dot_product_attention(x, x, x))


places = host(nn.SinusoidalPositionalEncoding(8, 50, dtype=mg.float64)(
    mg.zeros(50, 8, dtype=mg.float64)))  # fmt: skip
without = np.abs(self_attention(words[shuffled]) - self_attention(words)[shuffled]).max()
placed = self_attention(words + places[:5])
reordered = self_attention(words[shuffled] + places[:5])
with_places = np.abs(reordered - placed[shuffled]).max()
print(f"\nwords shuffled, results put back in order: off by {without:.0e} without positions, "
      f"by {with_places:.2f} with")  # fmt: skip
assert without < 1e-14
assert with_places > 0.1
lesson.statement(
    "D4 3.4", "a transformer knows the order of words by its positional encoding",
    without < 1e-14 < 0.1 < with_places,
    f"shuffled words give shuffled results, to {without:.0e}, and other results once positions are "
    "added",
)  # fmt: skip

by_three = np.linalg.lstsq(places[:40], places[3:43], rcond=None)[0]  # one matrix for all t
apart = np.abs(places[:40] @ by_three - places[3:43]).max()
print(f"one matrix moves every position three places on: off by at most {apart:.0e}")
assert apart < 1e-8
assert np.abs(by_three @ by_three.T - np.eye(8)).max() < 1e-8  # it only turns

# %% [markdown]
# ## 5. The mask, and five wrong ones
#
# A network that is to continue a text must not look at the words that it is to guess. In training
# all positions are guessed at once, so each word may look at itself and at earlier ones only. The
# *causal mask* sets all other scores to minus infinity, before the softmax, and their weights are
# 0.
#
# It is a line of code, and there are many ways to write it wrongly. All of them run, and none is
# reported. Two numbers tell them apart: how much an output depends on a later word, which must be
# 0, exactly, and on an earlier one, which must not.


# %%
EARLIER = np.tri(5)  # 1 where a word may look: itself and before


def masked(x, how):
    """Return self-attention with one of the masks."""
    scores = x @ x.T / math.sqrt(x.shape[1])
    if how == "none":
        weights = mg.softmax(scores, -1)
    elif how == "the wrong way round":
        weights = mg.softmax(scores.masked_fill(mg.tensor(EARLIER > 0), -1e9), -1)
    elif how == "transposed":
        weights = mg.softmax(scores.masked_fill(mg.tensor(EARLIER.T == 0), -1e9), -1)
    elif how == "scores times 0 and 1":
        weights = mg.softmax(scores * mg.tensor(EARLIER), -1)
    elif how == "weights times 0 and 1":
        weights = mg.softmax(scores, -1) * mg.tensor(EARLIER)
    else:
        weights = mg.softmax(scores.masked_fill(mg.tensor(EARLIER == 0), -math.inf), -1)
    return weights @ x


MASKS = (
    "right", "none", "the wrong way round", "transposed", "scores times 0 and 1",
    "weights times 0 and 1",
)  # fmt: skip
later = np.triu(np.ones((5, 5)), 1) > 0
print("\nlargest dependence of an output on       a later word     an earlier one")
leaks, looks_back = {}, {}
for how in MASKS:
    depends = influence(lambda x, how=how: masked(x, how), words)
    leaks[how], looks_back[how] = depends[later].max(), depends[later.T].max()
    print(f"  {how:36} {leaks[how]:14.4f} {looks_back[how]:18.4f}")
assert leaks["right"] == 0 < 0.1 < looks_back["right"]
assert all(leaks[how] > 1e-3 for how in MASKS[1:])
x = mg.tensor(words)
own = mg.scaled_dot_product_attention(x, x, x, is_causal=True)
assert np.abs(host(own) - host(masked(x, "right"))).max() < 1e-14

# %% [markdown]
# The last two are the sly ones. A score times 0 is 0, and $e^0 = 1$: the later words get a weight
# all the same. A weight times 0 is 0, but the softmax has already divided by a sum with the later
# words in it. (The museum of real bugs has a sixth: `python -m minigrad lessons next m5`.)
#
# NB: PyTorch has two conventions for masks of True and False, and minigrad follows it in both. For
# `scaled_dot_product_attention` True means *may look*, for `nn.MultiheadAttention` it means *may
# not*. The option `is_causal=True` cannot be got the wrong way round.
#
# ## 6. Several heads
#
# One softmax finds one thing. *Multi-head* attention splits queries, keys and values into parts of
# equal length, the heads, attends in each by itself, joins the results and sends them through one
# more dense layer. By hand, against `nn.MultiheadAttention`:

# %%
HEADS, WIDE, COUNT = 2, 8, 5
mg.manual_seed(0)
layer = nn.MultiheadAttention(WIDE, HEADS, batch_first=True, dtype=mg.float64)
mg.nn.init.normal_(layer.in_proj_bias)
x = rng.normal(size=(COUNT, WIDE))
projected = x @ host(layer.in_proj_weight).T + host(layer.in_proj_bias)
queries, keys, values = np.split(projected, 3, axis=1)
results, all_weights = [], []
for first in range(0, WIDE, WIDE // HEADS):
    part = slice(first, first + WIDE // HEADS)
    scores = queries[:, part] @ keys[:, part].T / math.sqrt(WIDE // HEADS)
    scores = np.where(np.tri(COUNT) > 0, scores, -np.inf)
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    results.append(weights @ values[:, part])
    all_weights.append(weights)
by_hand = np.hstack(results) @ host(layer.out_proj.weight).T + host(layer.out_proj.bias)
given = mg.tensor(x)
outputs, weights = layer(given, given, given, is_causal=True, average_attn_weights=False)
apart = np.abs(host(outputs) - by_hand).max()
print(f"\nmulti-head by hand and by minigrad: off by at most {apart:.0e}")
assert apart < 1e-14
assert np.abs(host(weights) - np.array(all_weights)).max() < 1e-14

# %% [markdown]
# D1 (concepts) says that multi-head attention captures long dependencies better. In lesson 11 a
# gradient had to come back through every step. Here are both, before any training: how much the
# last of 60 outputs depends on each input.

# %%
mg.manual_seed(0)
LENGTH = 60
several = nn.MultiheadAttention(32, 4, batch_first=True)
recurrent = nn.RNN(32, 32, batch_first=True)
inputs = rng.normal(size=(1, LENGTH, 32)).astype(np.float32)
reach = {}
for name, f in (
    ("attention", lambda t: several(t, t, t, need_weights=False)[0]),
    ("RNN", lambda t: recurrent(t)[0]),
):
    t = mg.tensor(inputs, requires_grad=True)
    f(t)[0, -1].backward(mg.tensor(rng.normal(size=32).astype(np.float32)))
    reach[name] = np.linalg.norm(host(t.grad)[0], axis=1)
print("\ngradient of output 60 by input        1        20        40        59")
for name, by_input in reach.items():
    print(f"  {name:26}" + "".join(f"{by_input[i - 1]:10.1e}" for i in (1, 20, 40, 59)))
far = {name: by_input[0] / np.median(by_input[40:59]) for name, by_input in reach.items()}
lesson.statement(
    "D1 concepts", "multi-head attention captures long dependencies better",
    far["attention"] > 0.1 and far["RNN"] < 1e-6,
    f"the gradient 60 words back is {far['attention']:.1f} times that of near words, and in an RNN "
    f"{far['RNN']:.0e} times",
)  # fmt: skip

# %% [markdown]
# ## 7. The rest of a transformer
#
# D4, section 3.4, says that a transformer consists of self-attention and positional encoding. Try
# to build one from these: twelve layers of attention, one behind the other. Every layer takes
# means, and means of means are ever more alike. After a few layers all words are the same word (Y.
# Dong and others, 2021). What keeps them apart is what the document leaves out:
#
# - a *shortcut*: a layer's result is added to its input, $x + f(x)$;
# - a *layer norm* in front of it: each word is shifted and scaled to mean 0 and variance 1;
# - a small dense network for each word, $W_2\, \text{relu}(W_1 x + b_1) + b_2$, four times as wide
#   inside.
#
# Measured: how much of the words' lengths is left when their mean is taken away.


# %%
def apartness(x):
    """Return the share of the words that is not their common mean."""
    return np.linalg.norm(x - x.mean(axis=0)) / np.linalg.norm(x)


DEEP = 12
mg.manual_seed(0)
x = mg.randn(20, 32, dtype=mg.float64)
alone, block = [apartness(host(x))], [apartness(host(x))]
pure, whole = x, x[None]
for _ in range(DEEP):
    layer = nn.MultiheadAttention(32, 4, dtype=mg.float64)
    pure, _ = layer(pure, pure, pure, need_weights=False)
    layer = nn.TransformerEncoderLayer(
        32, 4, 128, dropout=0.0, batch_first=True, norm_first=True, dtype=mg.float64
    )
    whole = layer(whole)
    alone.append(apartness(host(pure)))
    block.append(apartness(host(whole[0])))
print("\nshare of 20 words that is not their mean, after layer      0        3        6       12")
for name, shares in (("attention alone", alone), ("transformer blocks", block)):
    print(f"  {name:50}" + "".join(f"{shares[i]:9.1e}" for i in (0, 3, 6, 12)))

D, HIDDEN = 32, 4 * 32
in_attention = 4 * D * D + 4 * D
in_dense = 2 * D * HIDDEN + HIDDEN + D
in_norms = 4 * D
counted = sum(
    p.numel() for p in nn.TransformerEncoderLayer(D, 4, HIDDEN, norm_first=True).parameters()
)
assert counted == in_attention + in_dense + in_norms == 12 * D * D + 13 * D
lesson.statement(
    "D4 3.4", "a transformer consists of self-attention and positional encoding",
    alone[-1] > 0.1,
    f"of {DEEP} layers of attention alone come words of which {alone[-1]:.0e} is what tells them "
    f"apart; of {DEEP} blocks, words of which it is {block[-1]:.2f}",
    "right: shortcuts, layer norms and a small dense network belong to each block, and the dense "
    f"network holds {100 * in_dense / counted:.0f} % of its parameters",
    expect=FAILS,
)  # fmt: skip
assert block[-1] > 0.5
assert alone[3] < 1e-3

# %% [markdown]
# D0, section 2.4, draws attention as a station of its own, between encoder and decoder. A full
# transformer, the one for translation, has it inside of every block: in the encoder the words look
# at each other, in the decoder the new words look at each other and then at the encoder's.

# %%
full = nn.Transformer(32, 4, num_encoder_layers=3, num_decoder_layers=3, dim_feedforward=64)
stations = Counter(
    name.partition(".")[0]
    for name, m in full.named_modules()
    if isinstance(m, nn.MultiheadAttention)
)
lesson.statement(
    "D0 2.4", "attention is a station between the encoder and the decoder",
    set(stations) != {"encoder", "decoder"},
    f"of the {sum(stations.values())} attentions of 3 + 3 blocks, {stations['encoder']} are inside "
    f"of the encoder, {stations['decoder']} inside of the decoder, and none is between",
    "right: one in each block of the encoder, two in each of the decoder",
    expect=FAILS,
)  # fmt: skip

# %% [markdown]
# ## 8. How large is large?
#
# A block of width d has $12 d^2 + 13 d$ parameters, as counted above: four dense layers of $d^2$
# for attention, two of $4 d^2$, and biases and norms. Around L blocks there are the tables for
# words and positions, and a last norm. So the size of a published model can be checked from its
# shape. D1 (history) and D2 say 175 billion for GPT-3 (96 blocks, d = 12,288, 50,257 words, 2,048
# positions) and 340 million for BERT (24 blocks, d = 1,024, 30,522 words, 512 positions, 2 kinds of
# segment, a norm in front and a dense layer at the end).


# %%
def blocks(count, d):
    """Parameters of so many blocks of width d."""
    return count * (12 * d * d + 13 * d)


GPT_3 = blocks(96, 12_288) + (50_257 + 2_048) * 12_288 + 2 * 12_288
BERT = blocks(24, 1_024) + (30_522 + 512 + 2) * 1_024 + 2 * 1_024 + (1_024**2 + 1_024)
lesson.claim(
    "D1 history", "parameters of GPT-3", "175e9", GPT_3,
    check="counted from its shape; the same in D2",
)  # fmt: skip
lesson.claim("D1 history", "parameters of BERT", "3.4e8", BERT, check="counted from its shape")
LIST = "the document's own list of references"
lesson.claim(
    "D1 history", "year of GPT-3", "2018", 2020, "its own references say 2020",
    expect=FAILS, check=LIST,
)  # fmt: skip
lesson.claim(
    "D1 history", "year of BERT", "2020", 2019,
    "its own references say 2019; the preprint is of 2018, so BERT came before GPT-3",
    expect=FAILS, check=LIST,
)  # fmt: skip

# %% [markdown]
# And how long does it take to train? Each parameter takes part in a multiplication and an addition
# for each word that goes forward, and in twice as many backward: 6 operations. GPT-3 read 300
# billion words or pieces of words (T. Brown and others, 2020). D4, section 8.1, says that it took
# about three days on 175 GPUs of the kind V100. Such a GPU does at most $125 \cdot 10^{12}$
# operations in a second.

# %%
OPERATIONS = 6 * GPT_3 * 300e9
PEAK = 175 * 125e12
days = OPERATIONS / PEAK / (24 * 3600)
lesson.claim(
    "D4 8.1", "days of training of GPT-3 on 175 V100", "3", days,
    f"{OPERATIONS:.1e} operations at a peak of {PEAK:.1e} a second, which no training reaches",
    expect=FAILS, check="operations counted: 6 for each parameter and word",
)  # fmt: skip

# %% [markdown]
# ## 9. Stories
#
# Now build one. The text to learn is made up as we go, by rules, so that there is as much of it as
# we like, and so that we know what there is to learn:
#
#     anna gives tom a red ball . he thanks her for the ball . anna smiles .
#
# Who gives, how, to whom, whether the thing has a colour, which thing, which thanks, and whether
# there is a last sentence: all these are drawn. The rest follows. "He" because of tom, "her"
# because of anna, and the ball is the ball. None of this can be told from the word before.

# %%
SHE, HE = ("anna", "mia", "zoe"), ("tom", "ben", "max")
GIVING, THANKING = ("gives", "shows", "sells", "lends"), ("thanks", "hugs", "greets")
LOOKS, THINGS = ("red", "blue", "old", "new", "tiny"), ("ball", "kite", "book", "drum", "boat")
END, LONGEST = "<end>", 18
WORDS = (END, *SHE, *HE, *GIVING, "a", *LOOKS, *THINGS, ".", "she", "he", *THANKING, "her", "him",
         "for", "the", "smiles")  # fmt: skip
NUMBER = {word: i for i, word in enumerate(WORDS)}
IGNORED = -100  # what cross_entropy leaves out: there is no word to guess


def tell(giver, giving, taker, look, thing, thanking, smiles):
    """Return the story of these choices, a list of words."""
    return [
        giver, giving, taker, "a", *([look] if look else []), thing, ".",
        "she" if taker in SHE else "he", thanking, "her" if giver in SHE else "him",
        "for", "the", thing, ".", *([giver, "smiles", "."] if smiles else []),
    ]  # fmt: skip


def draw_story(draw):
    """Return a story of random choices, and -ln of the chance that it had: its nats."""
    giver, taker = (str(name) for name in draw.choice(SHE + HE, 2, replace=False))
    look = str(draw.choice(LOOKS)) if draw.random() < 0.5 else None
    giving, thing, thanking = (str(draw.choice(w)) for w in (GIVING, THINGS, THANKING))
    choices = 6 * 5 * 4 * 2 * (len(LOOKS) if look else 1) * 5 * 3 * 2
    return tell(giver, giving, taker, look, thing, thanking, draw.random() < 0.5), math.log(choices)


def makes_sense(words):
    """Say whether a story is one that the rules tell."""
    try:
        giver, giving, taker = words[:3]
        look, thing = (words[4], words[5]) if words[4] in LOOKS else (None, words[4])
        thanking = words[words.index(".") + 2]
    except (IndexError, ValueError):
        return False
    known = {giver, taker} <= {*SHE, *HE} and giver != taker and giving in GIVING
    known = known and thing in THINGS and thanking in THANKING
    return known and words == tell(giver, giving, taker, look, thing, thanking, "smiles" in words)


def numbered(stories):
    """Return stories as rows of word numbers, from END to END, filled up with IGNORED."""
    rows = np.full((len(stories), LONGEST + 1), IGNORED)
    for row, words in zip(rows, stories, strict=True):
        row[: len(words) + 2] = [0, *(NUMBER[word] for word in words), 0]
    return rows


draw = np.random.default_rng(0)
learned = [draw_story(draw) for _ in range(4000)]
fresh = [draw_story(draw) for _ in range(500)]
TRAIN, TEST = numbered([s for s, _ in learned]), numbered([s for s, _ in fresh])
guesses = int((TEST[:, 1:] != IGNORED).sum())
BEST = sum(nats for _, nats in fresh) / guesses
print(f"\n{len(WORDS)} words, {6 * 5 * 4 * 6 * 5 * 3 * 2:,} different stories, "
      f"{len({tuple(s) for s, _ in learned}):,} of them to learn from")  # fmt: skip
for words, _ in learned[:2]:
    print("  " + " ".join(words))
print(f"the best loss that there can be on the test stories: {BEST:.4f} nats for a word")
assert all(makes_sense(words) for words, _ in learned)
STORY = tell("anna", "gives", "tom", "red", "ball", "thanks", smiles=True)
assert makes_sense(STORY)
assert not makes_sense(["him" if word == "her" else word for word in STORY])

# %% [markdown]
# The last line is worth a second look. A story drawn from N equally likely ones costs ln N nats,
# however clever the guesser, because the choices are random. So we know the lowest loss: who gets
# below it is cheating.
#
# First a *bigram* table, which guesses a word from the one before: count all pairs, and divide.

# %%
counts = np.full((len(WORDS), len(WORDS)), 0.01)  # a little, so that no chance is 0
for before, word in zip(TRAIN[:, :-1].ravel(), TRAIN[:, 1:].ravel(), strict=True):
    if word != IGNORED:
        counts[before, word] += 1
bigram = counts / counts.sum(axis=1, keepdims=True)
told = TEST[:, 1:] != IGNORED
bigram_loss = -np.log(bigram[TEST[:, :-1][told], TEST[:, 1:][told]]).mean()
print(f"bigram table, {bigram.size:,} numbers: test loss {bigram_loss:.4f}")
assert bigram_loss > BEST + 0.4


# %% [markdown]
# Then the transformer: a vector for each word, learned; one for each position, learned as well; two
# blocks with four heads; a last norm; and a score for each word that might come next.


# %%
class Storyteller(nn.Module):
    """Scores of the next word at each position."""

    def __init__(self, width=32, heads=4, layers=2, causal=True):
        super().__init__()
        self.causal = causal
        self.word = nn.Embedding(len(WORDS), width)
        self.place = nn.LearnedPositionalEncoding(width, max_len=LONGEST, batch_first=True)
        block = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, layers, nn.LayerNorm(width))
        self.scores = nn.Linear(width, len(WORDS))

    def forward(self, numbers):
        x = self.place(self.word(numbers))
        return self.scores(self.blocks(x, is_causal=self.causal))


def loss_of(model, rows):
    """Return the mean loss of all guesses of the next word."""
    scores = model(mg.tensor(np.maximum(rows[:, :-1], 0)))
    wanted = mg.tensor(rows[:, 1:].ravel())
    return mg.cross_entropy(scores.reshape(-1, len(WORDS)), wanted, ignore_index=IGNORED)


def train(causal, steps):
    """Train a storyteller; return it with its loss in training and the test losses by step."""
    mg.manual_seed(0)
    model, order = Storyteller(causal=causal), np.random.default_rng(0)
    optimiser = optim.Adam(model.parameters(), lr=5e-3)
    losses, tests = [], {}
    for step in range(1, steps + 1):
        if step == 300:
            optimiser.param_groups[0]["lr"] = 1e-3  # smaller steps to end with
        loss = loss_of(model, TRAIN[order.integers(0, len(TRAIN), 64)])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if step % 25 == 0:
            with mg.no_grad():
                tests[step] = loss_of(model, TEST).item()
    return model, losses, tests


model, losses, tests = train(True, 400)
size = sum(p.numel() for p in model.parameters())
print(f"transformer, {size:,} parameters: test loss "
      f"{losses[0]:.4f} at first (ln {len(WORDS)} = {math.log(len(WORDS)):.4f}), "
      f"{tests[400]:.4f} after 400 steps")  # fmt: skip
assert round(size, -3) == 28_000
assert abs(losses[0] - math.log(len(WORDS))) < 0.7
assert BEST - 0.005 < tests[400] < BEST + 0.03
assert tests[400] < bigram_loss - 0.4

# %% [markdown]
# It is within a few hundredths of the best there can be. Now let it tell. Begin with END, ask for
# the chances of the next word, draw one, append it, ask again, until END comes.
#
# NB: PyTorch has these modules under the same names. Its `nn.TransformerEncoder` copies the block
# that it is given, so that all blocks start with the same weights, and so does minigrad's. Its
# blocks take the positions first, then the batch, unless told `batch_first=True`, and normalise
# behind the sum, as in 2017, unless told `norm_first=True`.


# %%
def tell_by(chances, count, seed):
    """Return stories drawn word by word; chances(rows) gives those of the next word."""
    rows = np.zeros((count, 1), dtype=int)
    dice = mg.Generator(seed)
    while rows.shape[1] <= LONGEST:
        drawn = mg.multinomial(mg.tensor(chances(rows)), 1, generator=dice)
        rows = np.hstack([rows, host(drawn)])
    return [" ".join(WORDS[n] for n in row[1:]).split(END)[0].split() for row in rows]


def by_model(model):
    """Return the chances of the next word by a transformer."""

    def chances(rows):
        with mg.no_grad():
            return host(mg.softmax(model(mg.tensor(rows))[:, -1], -1)).astype(float)

    return chances


seen = {tuple(words) for words, _ in learned}
shares = {}
for name, chances in (
    ("bigram table", lambda rows: bigram[rows[:, -1]]),
    ("transformer", by_model(model)),
):
    stories = tell_by(chances, 300, seed=1)
    sense = [words for words in stories if makes_sense(words)]
    new = sum(tuple(words) not in seen for words in sense)
    shares[name], fresh_share = len(sense) / len(stories), new / max(1, len(sense))
    print(f"\n{name}: {shares[name]:.0%} of 300 stories make sense, {new} of these "
          f"{len(sense)} were not in the text it learned")  # fmt: skip
    for words in sense[:3] + [words for words in stories if words not in sense][:4]:
        print(f"  {'+' if words in sense else '-'} {' '.join(words)}")
assert shares["bigram table"] < 0.1
assert shares["transformer"] > 0.8
assert fresh_share > 0.5  # of the transformer's, the last

# %% [markdown]
# The bigram table makes sense by chance, if at all. Of the transformer's stories about nine in
# ten do, and most of them nobody has told before. In its other ones a word slips in that has a
# small chance and should have none; that anna gives herself a drum, for one, is never told in the
# text.
#
# ### The mask left out
#
# The same network with `causal=False`, for 150 steps. Each position sees the word that it is to
# guess, and copies it. Its loss falls as no loss may:

# %%
cheat, cheat_losses, cheat_tests = train(False, 150)
cheat_stories = tell_by(by_model(cheat), 100, seed=1)
cheat_share = np.mean([makes_sense(words) for words in cheat_stories])
print(f"\nwithout the mask: test loss {cheat_tests[150]:.4f} after 150 steps, "
      f"and the best there can be is {BEST:.4f}")  # fmt: skip
print(f"its stories: {cheat_share:.0%} make sense")
print(f"  - {' '.join(cheat_stories[0])}")
assert cheat_tests[150] < 0.2 * BEST
assert cheat_share < 0.1

figure, axes = plt.subplots(figsize=(8.6, 4.6), layout="constrained")
axes.plot(range(1, 401), losses, color=BLUE, alpha=0.35, linewidth=1)
axes.plot(list(tests), list(tests.values()), "o-", color=BLUE, markersize=3, label="transformer")
axes.plot(range(1, 151), cheat_losses, color=RED, alpha=0.35, linewidth=1)
axes.plot(list(cheat_tests), list(cheat_tests.values()), "s--", color=RED, markersize=3,
          label="without the mask")  # fmt: skip
axes.axhline(bigram_loss, color=GREEN, linestyle="-.", label=f"bigram table: {bigram_loss:.3f}")
axes.axhline(BEST, color="black", linestyle=":", label=f"the best there can be: {BEST:.3f}")
axes.set_xlabel("step of 64 stories")
axes.set_ylabel("loss (nats for a word)")
axes.set_ylim(0, 2.5)
axes.set_title("Learning to tell stories: who gets below the best is cheating")
axes.legend()
figure.supxlabel("marks: on 500 test stories; thin lines: on each batch while training", fontsize=9)
lesson.save(
    figure, "12_attention_loss.png",
    "The losses of a small transformer with and without its causal mask, beside a bigram table's.",
)  # fmt: skip

# %% [markdown]
# ## 10. What it looks at
#
# Change one word of a story, and see which of its guesses change, and by how much: 0 if the chances
# of the next word stay as they were, 1 if all of them go elsewhere. Beside it are the weights of
# its attention, the mean of the heads of either block.

# %%
OTHER = {"anna": "ben", "gives": "sells", "tom": "zoe", "red": "old", "ball": "drum",
         "he": "she", "thanks": "hugs", "her": "him"}  # fmt: skip


def next_chances(words):
    """Return the chances of the next word after each beginning of a story."""
    with mg.no_grad():
        row = mg.tensor([[0, *(NUMBER[word] for word in words[:-1])]])
        return host(mg.softmax(model(row), -1))[0]


as_told = next_chances(STORY)
changed = np.zeros((len(STORY), len(STORY)))
for place, word in enumerate(STORY):
    if word in OTHER:
        other = next_chances([*STORY[:place], OTHER[word], *STORY[place + 1 :]])
        changed[:, place] = np.abs(other - as_told).sum(axis=1) / 2
print("\nguess      chance as told    and with another word before")
for place, because, word in ((7, 2, "he"), (9, 0, "her"), (12, 5, "ball"), (14, 0, "anna")):
    moved = next_chances([*STORY[:because], OTHER[STORY[because]], *STORY[because + 1 :]])
    one, other = as_told[place][NUMBER[word]], moved[place][NUMBER[word]]
    print(f"  {word:8} {one:12.3f} {other:18.3f}    {STORY[because]} -> {OTHER[STORY[because]]}")
    if word != "anna":
        assert one > 0.7 > 0.3 > other
assert changed[9, 0] > 3 * changed[9, 1:].max()  # "her" depends on "anna"
assert (changed[np.triu_indices(len(STORY))] < 1e-6).all()  # no guess depends on what comes after

with mg.no_grad():
    x = model.place(model.word(mg.tensor([[0, *(NUMBER[word] for word in STORY[:-1])]])))
    looks = []
    for block in model.blocks.layers:
        normed = block.norm1(x)
        looks.append(host(block.self_attn(normed, normed, normed, is_causal=True)[1])[0])
        x = block(x, is_causal=True)
figure, panels = plt.subplots(1, 3, figsize=(16, 5.7), layout="constrained")
titles = ("what the guess depends on", "attention of block 1", "attention of block 2")
for axes, picture, title in zip(panels, (changed, *looks), titles, strict=True):
    shown = axes.imshow(picture, cmap="Blues", vmin=0, vmax=1)
    seen_words = STORY if title.startswith("what") else [END, *STORY[:-1]]
    axes.set_xticks(range(len(STORY)), seen_words, rotation=90, fontsize=8)
    axes.set_yticks(range(len(STORY)), STORY, fontsize=8)
    axes.set_title(title)
panels[0].set_ylabel("word to be guessed")
panels[0].set_xlabel("word that is changed")
for axes in panels[1:]:
    axes.set_xlabel("word that is looked at")
figure.colorbar(shown, ax=panels, shrink=0.8, label="change of the chances; or weight")
lesson.save(
    figure, "12_attention_looks.png",
    "For each guess of a story: which earlier words it depends on, and where the network looks.",
)  # fmt: skip

# %% [markdown]
# Read the row of "her": it depends on "anna", nine words before, and on little in between. That is
# what a bigram table cannot have. (The best chance of the last "anna" is 1/2, because whether
# anybody smiles is a coin.) The weights of attention tell the same less clearly, because one block
# passes on what another has found. What a network looks at is not yet what it relies on.
#
# ## 11. A head on top
#
# D4, section 4.2, gives the sentence "Hello, my dog is cute" to a BERT with a head for classes, and
# takes its loss and its scores. Two things are missing. It gives no labels, so there is nothing
# that a loss could be computed from. And the head is new: BERT's weights come from a file, the
# head's from the dice. The same with our storyteller, fifty new heads, and one story:

# %%
with mg.no_grad():
    x = model.place(model.word(mg.tensor([[0, *(NUMBER[word] for word in STORY)]])))
    meaning = model.blocks(x, is_causal=True)[:, -1]
    answers = []
    for seed in range(50):
        mg.manual_seed(seed)
        answers.append(int(host(nn.Linear(32, 2)(meaning)).argmax()))
    scores = nn.Linear(32, 2)(meaning)
yes = sum(answers)
lesson.statement(
    "D4 4.2", "a pretrained model with a new head classifies a sentence",
    yes in (0, 50),
    f"of 50 new heads on one network, {yes} give the same story to class 1, and {50 - yes} to "
    "class 0",
    "right: the head has to be trained first",
    expect=FAILS,
)  # fmt: skip
lesson.formula(
    "D4 4.2", "loss = outputs.loss, with no labels given",
    lambda: mg.cross_entropy(scores).item(), 0.0,
    "right: with labels; without them the printed loss is None",
    expect=NOT_COMPUTABLE,
)  # fmt: skip
assert 10 <= yes <= 40

# %%
print()
lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 12`. And to try in this file:
#
# 1. In section 2, with which key does "she" take less than a hundredth of herself?
# 2. Show on paper that the scores' variance is d, and find where the independence is used. What is
#    the variance if query and key are the same vector?
# 3. Find the bug: to save time, `by_model` gives the network only the last word that was drawn. The
#    stories look like the bigram table's. Why? And what would have to be kept to save the time?
# 4. Take the positional encoding out of the storyteller. It learns about as well. (The causal mask
#    gives places away: how can a word count those before it?) What happens without both?
# 5. Tell with a *temperature*: divide the scores by 0.5 before the softmax, or by 2. How many
#    stories make sense, and how many different ones are there among 300?
#
# Next: lesson 13 makes all of this go faster.
