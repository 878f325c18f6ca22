"""Names for functions that change when their code does."""

from __future__ import annotations

from fast_litellm.shadow import source


def compiled(text):
    """A function of that text."""
    namespace = {}
    exec(text, namespace)
    return namespace["f"]


def test_a_name_changes_with_instructions_and_constants():
    """Every meaning has a name of its own."""
    texts = ["def f(x): return x + 1", "def f(x): return x + 2", "def f(x): return x - 1", "def f(x): return len(x)"]
    assert 4 == len({source.name(compiled(text)) for text in texts})


def test_a_name_does_not_change_with_its_place():
    """Moved in a file, it is the same function."""
    assert source.name(compiled("def f(x): return x")) == source.name(compiled("\n\n\ndef f(x): return x"))


def test_a_set_of_constants_has_one_name_in_every_process(python):
    """The order in which a process iterates over text is random; the name is not."""
    program = """
        from fast_litellm.shadow import source
        print(source.name(lambda word: word in {"one", "two", "three", "four", "five"}))
    """
    names = {process.communicate()[0] for process in [python(program) for _ in range(3)]}
    assert 1 == len(names)


def test_native_functions_have_a_name():
    """What has no code is told by its name alone."""
    assert "len@native" == source.name(len)
