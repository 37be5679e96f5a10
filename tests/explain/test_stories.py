"""The stories that come with the package, and those of scripts."""

import sys

import numpy as np
import pytest

from tinydl import explain
from tinydl.engine import Tensor
from tinydl.errors import ArgumentError
from tinydl.recording import mode


def element(story, step, index=None):
    return story[step].element(index)


@pytest.mark.parametrize("name", explain.STORIES)
class TestEachStory:
    @pytest.fixture
    def story(self, name):
        return explain.ready_made(name)

    def test_says_what_to_notice_in_one_sentence(self, story):
        assert story.title and story.note.count(". ") <= 1 and story.note.endswith(".")

    def test_every_page_adds_up_and_agrees_with_the_difference(self, story):
        for step in story:
            if step.kind == "forward":
                view = step.element()
                assert view.result.combined() == pytest.approx(view.value, rel=1e-4)
            elif step.kind == "backward":
                for output in step.outputs:
                    view = step.gradient(output.name)
                    assert view.total == pytest.approx(view.accumulated, rel=1e-4)
                    assert view.difference.outcome in ("agrees", "kink")
            else:
                view = step.update()
                assert view.lines[-1].value == pytest.approx(view.new, rel=1e-4)

    def test_every_step_has_its_line_in_the_story(self, story):
        assert all(step.source.file.endswith("stories.py") and step.source.text for step in story)

    def test_is_the_same_each_time(self, story, name):
        again = explain.ready_made(name)
        for one, other in zip(story, again, strict=True):
            assert (one.title, one.after) == (other.title, other.after)
            np.testing.assert_array_equal(one.output.array, other.output.array)


def test_the_numbers_of_the_notes():
    descent = explain.ready_made("gradient-descent")
    assert [s.update().new for s in descent if s.kind == "update"] == [5.0, 3.0, 2.0]
    adam = explain.ready_made("adam")
    moved = [s.update(i).new for s in adam if s.kind == "update" for i in (0, 1)]
    assert moved == pytest.approx([0.75, 0.75, 0.5, 0.5], abs=1e-5)
    entropy = explain.ready_made("cross-entropy")
    np.testing.assert_allclose(entropy[3].output.array, [-0.5, 0.25, 0.25], atol=1e-6)
    pooled = explain.ready_made("maxpool")
    assert np.count_nonzero(pooled[6].output.array) == 4
    soft = explain.ready_made("softmax")
    np.testing.assert_allclose(soft[1].output.array, [0.1, 0.2, 0.7], atol=1e-6)
    assert soft[4].output.array.sum() == pytest.approx(0, abs=1e-7)
    edges = explain.ready_made("conv")[1].element((0, 0, 1, 0))
    assert edges.formula == r"y_{0,0,1,0} = 0 \cdot (-1) + 2 \cdot 1 + 0 \cdot (-1) + 2 \cdot 1 = 4"


def test_the_network_of_the_readme():
    story = explain.ready_made()
    images = next(step for step in story if step.op == "conv").inputs[0]
    assert images.axes == ("sample", "row", "column", "channel") and images.shape[0] == 2
    updated = [step.title for step in story if step.kind == "update"]
    assert updated == [
        "adam: conv2d/kernel",
        "adam: conv2d/bias",
        "adam: dense/kernel",
        "adam: dense/bias",
    ]


def test_names_and_edges_follow_the_walk_back():
    story = explain.ready_made("mse")
    backward = [step for step in story if step.kind == "backward"]
    assert [step.after for step in backward] == [(5,), (6,), (7,), (8,), (9,)]
    descent = explain.ready_made("gradient-descent")
    assert [v.name for v in descent[5].inputs] == ["w", "grad w"] and descent[5].after == (4,)


def test_an_unknown_story_is_refused_with_the_closest_name():
    with pytest.raises(ArgumentError, match="'softmax'"):
        explain.ready_made("sofmax")


class TestScripts:
    def run(self, tmp_path, text, arguments=()):
        path = tmp_path / "mine.py"
        path.write_text(text)
        before = list(sys.argv), list(sys.path)
        try:
            return explain.run_script(path, arguments)
        finally:
            assert (sys.argv, sys.path) == before
            assert mode.observer is None and Tensor.__init__.__name__ == "__init__"

    def test_the_first_step_is_told_and_the_program_ended(self, tmp_path, capsys):
        story = self.run(
            tmp_path,
            "from tinydl import tensor, optimizers\n"
            "w = tensor([3.0], requires_grad=True)\n"
            "other = w * 7.0\n"
            "rule = optimizers.SGD(0.25)\n"
            "for step in range(3):\n"
            "    print('step', step)\n"
            "    loss = (w * w).sum()\n"
            "    loss.backward()\n"
            "    rule.apply([w.grad], [w])\n",
        )
        assert capsys.readouterr().out == "step 0\n"
        assert [step.kind for step in story] == ["forward"] * 2 + ["backward"] * 2 + ["update"]
        assert story[2].output.name == "loss" and story[1].inputs[0].name == "w"
        assert story[1].source.text == "loss = (w * w).sum()"
        assert "mine.py" in story.title

    def test_updates_by_hand_end_with_the_next_forward_step(self, tmp_path):
        story = self.run(
            tmp_path,
            "from tinydl import tensor\n"
            "w = tensor([3.0], requires_grad=True)\n"
            "while True:\n"
            "    (w * w).sum().backward()\n"
            "    w.assign(w.data - 0.1 * w.grad.data)\n",
        )
        assert len(story) == 4

    def test_fit_and_arguments(self, tmp_path):
        story = self.run(
            tmp_path,
            "import sys, numpy as np, tinydl as keras\n"
            "model = keras.Sequential([keras.layers.Dense(int(sys.argv[1]))])\n"
            "model.compile('adam', 'mse')\n"
            "model.fit(np.ones((8, 2)), np.ones((8, 3)), batch_size=4, epochs=9, verbose=0)\n",
            ["3"],
        )
        assert [step.kind for step in story].count("update") == 2
        assert story[1].output.shape == (4, 3)

    def test_a_program_that_exits_is_told(self, tmp_path):
        text = "from tinydl import tensor\ntensor(1.0, requires_grad=True).backward()\n"
        text += "w = tensor(1.0, requires_grad=True)\n(w * w).backward()\nraise SystemExit(0)\n"
        assert len(self.run(tmp_path, text)) == 2

    def test_errors_of_the_program_are_its_own(self, tmp_path):
        with pytest.raises(ZeroDivisionError):
            self.run(tmp_path, "1 / 0")

    def test_a_program_without_gradients_is_refused(self, tmp_path):
        with pytest.raises(ArgumentError, match="backward"):
            self.run(tmp_path, "print('hello')")

    def test_a_missing_file(self):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            explain.run_script("nowhere.py")
