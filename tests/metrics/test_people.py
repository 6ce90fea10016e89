"""Answers of people: their file, their error rate, and Wilson's interval by its formula."""

import math

import pytest

from course_utils.metrics import (
    Answer,
    class_scores,
    human_score,
    quiz_file,
    read_answers,
    record_answer,
    score_table,
    wilson_interval,
)


def answers(player, right, wrong, real=True):
    made = [Answer(player, "mnist", real, real, 250, 251.5, 700.0)] * right
    return made + [Answer(player, "mnist", real, not real, 250, 249.0, 900.0)] * wrong


@pytest.mark.parametrize(("errors", "n"), [(0, 10), (3, 20), (10, 20), (20, 20)])
def test_wilsons_interval_is_the_root_of_its_equation(errors, n):
    """Its limits are the p with |p̂ − p| = z·√(p(1 − p)/n), z = 1.96."""
    for limit in wilson_interval(errors, n):
        assert 0 <= limit <= 1
        assert abs(errors / n - limit) == pytest.approx(
            1.959964 * math.sqrt(limit * (1 - limit) / n), abs=1e-6
        )


def test_no_answers_and_too_many_errors_are_refused():
    for errors, n in ((0, 0), (3, 2), (-1, 5)):
        with pytest.raises(ValueError, match="errors must be between 0 and answers"):
            wilson_interval(errors, n)
    with pytest.raises(ValueError, match="play the quiz first"):
        human_score([])


def test_a_score_counts_errors_on_both_sides():
    score = human_score(answers("a", 6, 2) + answers("a", 3, 9, real=False))
    assert (score.answers, score.errors, score.error_rate) == (20, 11, 0.55)
    assert (score.errors_on_real, score.errors_on_fake) == (0.25, 0.75)
    assert (score.low, score.high) == wilson_interval(11, 20)
    assert math.isnan(human_score(answers("a", 1, 1)).errors_on_fake)


def test_a_class_has_a_score_for_each_and_one_for_all():
    scores = class_scores(answers("zoe", 9, 1) + answers("ali", 5, 5))
    assert [*scores] == ["ali", "zoe", "everybody"]
    assert scores["everybody"].errors == 6
    assert scores["everybody"].high - scores["everybody"].low < scores["ali"].high - scores["ali"].low
    assert "everybody" in score_table(scores)
    assert "30%" in score_table(scores)


def test_what_is_recorded_is_read_again_from_files_and_folders(tmp_path):
    mine, yours = answers("Zoë", 2, 1), answers("ali", 1, 1, real=False)
    for one in mine:
        record_answer(one, tmp_path / "class" / "one.jsonl")
    for one in yours:
        record_answer(one, tmp_path / "class" / "two.jsonl")
    assert read_answers(tmp_path / "class" / "one.jsonl") == mine
    assert read_answers(tmp_path / "class") == mine + yours
    assert read_answers([tmp_path / "class" / "two.jsonl", tmp_path / "class" / "one.jsonl"]) == yours + mine
    assert read_answers(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize("line", ["nonsense", "[1]", '{"player": "a"}', '{"more": 1}'])
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "quiz.jsonl"
    record_answer(answers("a", 1, 0)[0], path)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(ValueError, match=r"quiz\.jsonl, line 2 is not an answer"):
        read_answers(path)


def test_a_value_of_another_type_is_refused(tmp_path):
    record_answer(answers("a", 1, 0)[0]._replace(real="yes"), tmp_path / "quiz.jsonl")
    with pytest.raises(ValueError, match="line 1 is not an answer"):
        read_answers(tmp_path / "quiz.jsonl")


def test_where_the_file_lies(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_QUIZ", raising=False)
    assert quiz_file().parts[-2:] == (".course", "quiz.jsonl")
    monkeypatch.setenv("COURSE_QUIZ", str(tmp_path / "mine.jsonl"))
    assert quiz_file() == tmp_path / "mine.jsonl"


def test_in_a_class_players_without_a_name_are_called_after_their_file(tmp_path):
    for name in ("ana", "ben"):
        record_answer(answers("me", 1, 0)[0], tmp_path / f"{name}.jsonl")
    assert [answer.player for answer in read_answers(tmp_path)] == ["ana", "ben"]
    assert read_answers(tmp_path / "ana.jsonl")[0].player == "me"


def test_files_of_other_editors_are_read_or_refused_by_name(tmp_path):
    path = tmp_path / "quiz.jsonl"
    record_answer(answers("a", 1, 0)[0], path)
    path.write_text(path.read_text() + "   \n", encoding="utf-8-sig")
    assert len(read_answers(path)) == 1
    path.write_bytes("Zoë".encode("latin-1"))
    with pytest.raises(ValueError, match=r"quiz\.jsonl is no text in UTF-8"):
        read_answers(path)
