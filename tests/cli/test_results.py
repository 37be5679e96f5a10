import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinydl.cli.results import class_scores, worst_mistakes

label_pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1)


@given(label_pairs)
def test_scores_are_what_counting_pairs_gives(pairs):
    labels, predicted = np.array(pairs).T
    for k, score in enumerate(class_scores(labels, predicted, classes=4)):
        right = pairs.count((k, k))
        taken_for_k = [pair for pair in pairs if pair[1] == k]
        really_k = [pair for pair in pairs if pair[0] == k]
        assert score.support == len(really_k)
        assert score.precision == (right / len(taken_for_k) if taken_for_k else 0)
        assert score.recall == (right / len(really_k) if really_k else 0)
        if right:
            harmonic_mean = 2 / (1 / score.precision + 1 / score.recall)
            assert np.isclose(score.f1, harmonic_mean)
        else:
            assert score.f1 == 0


def test_worst_mistakes_are_sorted_and_hold_only_mistakes():
    probabilities = np.array([[0.6, 0.4], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    labels = np.array([1, 0, 1, 0])
    numbers = [mistake.number for mistake in worst_mistakes(labels, probabilities, count=2)]
    assert numbers == [1, 3]
    assert len(worst_mistakes(labels, probabilities, count=9)) == 3
    assert worst_mistakes(probabilities.argmax(1), probabilities, count=5) == []
