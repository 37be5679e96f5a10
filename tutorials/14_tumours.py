# %% [markdown]
# # Tumours, and why accuracy misleads
#
# A lump in a breast: a thin needle takes some cells, a microscope shows their nuclei, and somebody
# has to say whether the lump is malignant. The data of this lesson are 569 such cases from a
# hospital in Wisconsin, each with 30 measurements of the nuclei. Label 1 means malignant, which 212
# of them were: the class that must not be missed is the positive one.
#
# The first model that comes to mind says "benign" to everybody. It is right in 62.7 % of the cases,
# and it misses every cancer. Where 5 of 1000 women are ill, as in screening, the same model is
# right in 99.5 %. *Accuracy* tells how common a disease is before it tells anything about the
# model.
#
# Source: Street, Wolberg & Mangasarian, *Nuclear feature extraction for breast tumor diagnosis*,
# IS&T/SPIE 1905, 1993.

# %%
import numpy as np

from tinydl.datasets import breast_cancer

x, y, names = breast_cancer.load_data()
print("cases and measurements:", x.shape)
print("label 1, malignant:", np.sum(y == 1), "  label 0, benign:", np.sum(y == 0))
print("the first tumour:", dict(zip(names[:3], x[0, :3].tolist(), strict=True)))

for ill, healthy in ((y.sum(), np.sum(y == 0)), (5, 1000 - 5)):
    accuracy = healthy / (ill + healthy)
    print(f"{ill} ill, {healthy} not: 'benign' to everybody is right in {accuracy:.1%}")

# %% [markdown]
# ## Split first
#
# Whatever is chosen by looking at a case, a weight, a threshold, the scale of a measurement, is too
# good for that case. So the cases are split before anything else: one half to train on, a fifth to
# choose a threshold by, and the rest, 171 cases, to be looked at once. Each part gets its share of
# malignant cases (the split is *stratified*).
#
# An area is a few hundred, a smoothness a tenth. Each column is moved to mean 0 and scaled to
# standard deviation 1, with the mean and the deviation of the *training* cases:
#
# $$z_{ik} = \frac{x_{ik} - \mu_k}{\sigma_k}$$
#
# Taken over all cases, they would carry something of the test into the training.

# %%
rng = np.random.default_rng(3)


def stratified(labels, shares):
    """Random disjoint places, in each part the same share of either label."""
    parts = [[] for _ in shares]
    for label in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == label))
        ends = np.round(np.cumsum(shares) * len(places)).astype(int)
        for part, chosen in zip(parts, np.split(places, ends[:-1]), strict=True):
            part.append(chosen)
    return [np.concatenate(part) for part in parts]


training, validation, test = stratified(y, (0.5, 0.2, 0.3))
mean, deviation = x[training].mean(axis=0), x[training].std(axis=0)
z = (x - mean) / deviation
for name, part in (("training", training), ("validation", validation), ("test", test)):
    print(f"{name:10} {len(part)} cases, {y[part].sum()} malignant")
assert sorted([*training, *validation, *test]) == list(range(569))

# %% [markdown]
# ## One neuron
#
# The model is *logistic regression*: a `Dense` layer of one unit with a sigmoid, 30 weights and a
# bias. With so few cases the weights are held small by a penalty on their squares (lesson 12).
#
# $$p_i = \frac{1}{1 + e^{-u_i}}, \qquad u_i = \sum_k w_k z_{ik} + b$$

# %%
from tinydl.layers import Dense
from tinydl.models import Sequential
from tinydl.optimizers import Adam
from tinydl.regularizers import L2
from tinydl.utils import set_random_seed


def trained(samples, labels, class_weight=None):
    """Train a logistic regression."""
    set_random_seed(0)
    model = Sequential([Dense(1, activation="sigmoid", kernel_regularizer=L2(0.001))])
    model.compile(Adam(learning_rate=0.05), loss="binary_crossentropy")
    model.fit(samples, labels, batch_size=100, epochs=40, class_weight=class_weight, verbose=0)
    return model


def probabilities(model, samples):
    return model.predict(samples, verbose=0)[:, 0].astype("float64")


model = trained(z[training], y[training])
p, t = probabilities(model, z[test]), y[test]
print("the model's probability for five test cases:", np.round(p[:5], 3))
print("weights and biases:", [weight.shape for weight in model.get_weights()])

# %% [markdown]
# ## Four counts, not one
#
# A probability above a threshold, first 0.5, is a "yes". Then there are four kinds of cases: true
# and false positives (TP, FP), true and false negatives (TN, FN).
#
# $$\text{sensitivity} = \frac{TP}{TP + FN} \qquad \text{specificity} = \frac{TN}{TN + FP} \qquad
# \text{precision} = \frac{TP}{TP + FP}$$
#
# *Sensitivity* (Keras: recall) is how many of the ill are found, *specificity* how many of the
# healthy are left in peace; neither depends on how common the disease is. Of 64 cancers the model
# finds 60; 4 women would be sent home. "96 % right" does not say that.
#
# And 64 cases are few. An interval that holds the true sensitivity in 95 % of such studies is
# Wilson's, here with $z = 1.96$, $n$ cases and a share $s$ of hits:
#
# $$\frac{1}{1 + \frac{z^2}{n}}
# \Big( s + \frac{z^2}{2 n} \pm z \sqrt{\frac{s (1 - s)}{n} + \frac{z^2}{4 n^2}} \Big)$$
#
# It reaches from 85 % to 98 %. A second decimal of such a number is noise.
#
# Source: Wilson, *Probable inference, the law of succession, and statistical inference*, Journal of
# the American Statistical Association 22, 1927.


# %%
def wilson(hits, n):
    """The 95 % interval of a share of which `hits` of `n` were seen."""
    z, share = 1.96, hits / n
    middle = share + z**2 / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def show(name, hits, n):
    low, high = wilson(hits, n)
    print(f"{name:12} {hits:3} of {n:3} = {hits / n:4.0%}   95 % interval {low:.0%} to {high:.0%}")


def judge(yes, truth):
    """Print what a set of answers is worth, and return the sensitivity and the specificity."""
    found, cleared = np.sum(yes & (truth == 1)), np.sum(~yes & (truth == 0))
    show("sensitivity", found, np.sum(truth == 1))
    show("specificity", cleared, np.sum(truth == 0))
    show("precision", found, np.sum(yes))
    show("accuracy", found + cleared, len(truth))
    return found / np.sum(truth == 1), cleared / np.sum(truth == 0)


sensitivity, _ = judge(p > 0.5, t)

from tinydl.metrics import AUC, Recall

assert Recall()(t, p) == sensitivity == 60 / 64
print("cancers missed:", 64 - 60)

# %% [markdown]
# ## The threshold is a choice
#
# Nothing speaks for 0.5. Every threshold is a pair of sensitivity and specificity, and all of them
# together are the *ROC curve*. The area under it does not need a threshold: it is the probability
# that a malignant case gets a higher $p$ than a benign one,
#
# $$\text{AUC} = \frac{1}{n_1 n_0} \sum_{i: t_i = 1} \; \sum_{j: t_j = 0}
# \Big( [p_i > p_j] + \tfrac{1}{2} [p_i = p_j] \Big)$$
#
# so that 0.5 is guessing. The texture of the nuclei alone is a test, too, with a poor AUC. `AUC` of
# tinydl and Keras looks at 200 thresholds instead of all pairs, and comes close.
#
# A threshold has to be chosen on other cases than those it is judged by. Here it is the highest one
# that finds every cancer among the *validation* cases. It lies far below 0.5. Of the test's cancers
# it misses 0 instead of 4, at the price of 15 false alarms instead of 3. Accuracy, which counts
# both alike, falls from 96 % to 91 %.
#
# Source: Hanley & McNeil, *The meaning and use of the area under a receiver operating
# characteristic (ROC) curve*, Radiology 143, 1982.


# %%
def area(truth, score):
    """The probability that a positive is ranked above a negative, over all pairs."""
    higher = np.sign(score[truth == 1][:, None] - score[truth == 0])
    return np.mean((1 + higher) / 2)


texture = z[test, names.index("mean texture")]
print(f"AUC of the model   {area(t, p):.4f}, by 200 thresholds {AUC()(t, p):.4f}")
print(f"AUC of the texture {area(t, texture):.4f}")
assert abs(area(t, p) - AUC()(t, p)) < 0.005

p_validation, t_validation = probabilities(model, z[validation]), y[validation]
threshold = np.nextafter(p_validation[t_validation == 1].min(), 0)
print(f"threshold {threshold:.3f}")
judge(p > threshold, t)
for name, limit in (("0.5", 0.5), ("the chosen one", threshold)):
    missed, alarms = np.sum((p <= limit) & (t == 1)), np.sum((p > limit) & (t == 0))
    print(f"at {name}: {missed} cancers missed, {alarms} false alarms")

# %% [markdown]
# ## How lucky was the split?
#
# Ten other splits into halves, ten models, and each time the sensitivity at 0.5: they range over
# several percent, with nothing changed but who was in which half. A study that reports one split
# reports one of these numbers.

# %%
shares = []
for _ in range(10):
    one, other = stratified(y, (0.5, 0.5))
    scaled = (x - x[one].mean(axis=0)) / x[one].std(axis=0)
    said_yes = probabilities(trained(scaled[one], y[one]), scaled[other]) > 0.5
    shares.append(np.mean(said_yes[y[other] == 1]))
print(f"sensitivity from {min(shares):.1%} to {max(shares):.1%}, median {np.median(shares):.1%}")
assert max(shares) - min(shares) > 0.03

# %% [markdown]
# ## What a mistake costs
#
# Say that a missed cancer is 10 times as bad as a false alarm. One way to say so is to count each
# malignant case 10 times in the loss: `class_weight={0: 1, 1: 10}`. Another is to leave the model
# as it is and answer "yes" as soon as that is the cheaper answer: above
#
# $$\theta = \frac{1}{1 + 10}$$
#
# If the model's probabilities are right the two are the same thing, as the weight multiplies the
# odds $p / (1 - p)$ by 10. On these cases they are close.
#
# Source: Elkan, *The foundations of cost-sensitive learning*, IJCAI 2001.

# %%
weighted = trained(z[training], y[training], class_weight={0: 1, 1: 10})
p_weighted = probabilities(weighted, z[test])
print(f"threshold {1 / (1 + 10):.3f}")
lowered = judge(p > 1 / (1 + 10), t)
print("threshold 0.5, and a weight of 10")
reweighted = judge(p_weighted > 0.5, t)
assert np.allclose(lowered, reweighted, atol=0.05)

# %% [markdown]
# ## Are the probabilities right?
#
# A doctor reads "three tenths" as: of ten such women, three are ill. A model of which this is true
# is *calibrated*. AUC says nothing about it, since halving every $p$ changes no ranking. Two
# numbers do: the mean of the $p_i$ should be the share of the ill, and the *Brier score*,
#
# $$B = \frac{1}{n} \sum_i (p_i - t_i)^2$$
#
# should be small. To have enough cases, all 569 are used: in turns, four fifths train and one fifth
# is predicted, so that every case is judged by a model that has not seen it (*cross-validation*).
#
# The weight of 10 ruins calibration: the model now speaks of a world with ten times as many
# cancers. Dividing the odds by 10 takes it back.
#
# $$\frac{p}{1 - p} \; \to \; \frac{1}{10} \, \frac{p}{1 - p}$$
#
# Source: Brier, *Verification of forecasts expressed in terms of probability*, Monthly Weather
# Review 78, 1950.


# %%
def cross_validated(class_weight=None):
    """Each case's probability by a model trained on the other four fifths."""
    p = np.empty(len(y))
    for part in folds:
        rest = np.setdiff1d(np.arange(len(y)), part)
        scaled = (x - x[rest].mean(axis=0)) / x[rest].std(axis=0)
        p[part] = probabilities(trained(scaled[rest], y[rest], class_weight), scaled[part])
    return p


def divided_odds(p, by):
    return p / (p + by * (1 - p))


folds = stratified(y, [0.2] * 5)
assert sum(map(len, folds)) == 569
plain, tenfold = cross_validated(), cross_validated({0: 1, 1: 10})
forecasts = {"plain": plain, "weight 10": tenfold, "taken back": divided_odds(tenfold, 10)}
print(f"share of malignant cases: {y.mean():.3f}")
for name, forecast in forecasts.items():
    brier = np.mean((forecast - y) ** 2)
    print(f"{name:11} mean p {forecast.mean():.3f}   Brier {brier:.4f}", end="   ")
    print(f"AUC {area(y, forecast):.4f}")
assert abs(forecasts["plain"].mean() - y.mean()) < 0.02 < forecasts["weight 10"].mean() - y.mean()

# %% [markdown]
# The picture sorts the cases into bins by their $p$ and shows how many of each bin were ill; the
# bars are Wilson's intervals, wide where a bin holds few cases. Between the ends the other model's
# probabilities lie above the intervals: it cries wolf. Of the plain model only one case in ten is
# there, so about its middle these data say little.
#
# ![ROC curves of the model and of texture alone; share of malignant cases over the predicted
# probability](../docs/images/tutorials/14_tumours.png)

# %%
BINS = [(0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1)]


def reliability(forecast):
    """For each bin the mean probability, the share of the ill, and its interval."""
    for low, high in BINS:
        inside = (forecast >= low) & (forecast <= high)
        ill, n = y[inside].sum(), inside.sum()
        yield forecast[inside].mean(), ill / n, *wilson(ill, n)


for name in ("plain", "weight 10"):
    for predicted, seen, low, high in reliability(forecasts[name]):
        print(f"{name:11} predicted {predicted:.2f}   seen {seen:.2f}   ({low:.2f} to {high:.2f})")
middle = list(reliability(tenfold))[1:-1]
assert all(predicted > high for predicted, _, _, high in middle)
for name in ("plain", "weight 10"):
    between = np.sum((forecasts[name] > 0.1) & (forecasts[name] < 0.9))
    print(f"{name}: {between} cases between 0.1 and 0.9")

import os
from importlib.util import find_spec
from pathlib import Path

if find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
    for name, score, style in (("30 measurements", p, "C0"), ("texture alone", texture, "C1--")):
        order = np.argsort(-score)
        sensitivities = np.cumsum(t[order] == 1) / np.sum(t == 1)
        alarms = np.cumsum(t[order] == 0) / np.sum(t == 0)
        label = f"{name}: AUC {area(t, score):.3f}"
        left.step([0, *alarms], [0, *sensitivities], style, where="post", label=label)
    left.plot([0, 1], [0, 1], "0.7", linewidth=1)
    left.set(xlabel="1 - specificity", ylabel="sensitivity", title="171 test cases")
    left.legend(loc="lower right")
    for name, style in (("plain", "C0o-"), ("weight 10", "C3s--")):
        predicted, seen, low, high = np.array(list(reliability(forecasts[name]))).T
        bars = np.maximum([seen - low, high - seen], 0)  # rounding may fall below it
        right.errorbar(predicted, seen, bars, fmt=style, capsize=3, label=name)
    right.plot([0, 1], [0, 1], "0.7", linewidth=1)
    right.set(xlabel="predicted probability", ylabel="share of malignant cases", title="569 cases")
    right.legend()
    if "TINYDL_PICTURES" in os.environ:
        figure.savefig(Path(os.environ["TINYDL_PICTURES"]) / "14_tumours.png", dpi=90)

# %% [markdown]
# ## The same test elsewhere
#
# These women had a lump that somebody wanted to see under a microscope; more than a third were ill.
# Take a test with a sensitivity of 98 % and a specificity of 92 % to a screening, where 5 of 1000
# are. By Bayes' rule, of those with a "yes" so many are ill:
#
# $$\text{precision} = \frac{\pi \, \text{se}}{\pi \, \text{se} + (1 - \pi)(1 - \text{sp})}$$
#
# with the prevalence $\pi$. It falls to 6 %: of 100 alarms, 94 are false. That is a property of the
# place, not of the model. It is why screening is followed by a second, better test, and why a
# precision or an accuracy measured in one place must not be quoted for another.


# %%
def precision_at(prevalence, sensitivity=0.98, specificity=0.92):
    true, false = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return true / (true + false)


print(f"sensitivity {0.98:.0%}, specificity {0.92:.0%}")
for prevalence in (212 / 569, 5 / 1000):
    true = round(100 * precision_at(prevalence))
    print(f"prevalence {prevalence:.1%}: of 100 alarms {true} are true, {100 - true} are false")

# %% [markdown]
# ## What this lesson has not shown
#
# That the model would help anybody. The cases are from one hospital, decades ago, the nuclei were
# outlined by hand on chosen images, each lump appears once, and nobody knows how the label would
# look for those who were never sampled. Before a model meets patients it is tried on cases from
# other places and later years, and then in a trial that counts what happens to people, not what
# happens to AUC.

# %% [markdown]
# ## Exercises
#
# 1. Write the loss of this lesson yourself: the binary cross-entropy, with a weight for each class,
#    stable for logits of any size. ([assignment 1](assignments/01-forward-and-losses/))
# 2. Standardise with the mean and deviation of *all* cases, and then choose the threshold by the
#    test cases: by how much does each of the two flatter the model? Which is worse, and would it be
#    with 20 cases for training? What trains it is [assignment 4](assignments/04-update-rules/).
# 3. Put a hidden layer with dropout between input and answer. Is it better than one neuron, by more
#    than the interval of the difference? Write both in [assignment
#    7](assignments/07-normalization-and-dropout/).
#
# To see one neuron's loss and gradient page by page: `python -m tinydl explain cross-entropy`.
