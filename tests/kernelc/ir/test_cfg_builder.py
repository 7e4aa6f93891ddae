# SPDX-License-Identifier: GPL-2.0-or-later
"""Flow graphs of functions and macros: which calls run in which order, on which paths.

A path is written as what happens on it: a condition as `x` where it holds and `!x` where it does
not, a call as `f(a)`, an assignment as `x =`, a step as `x++`, a case as `case 1`.
"""

from __future__ import annotations

import pytest

from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.expr import Expr, IncDec, Name, Other, Temporary
from lazymmu.kernelc.ir.nodes import (
    BRANCH,
    RETURN,
    SWITCH,
    Function,
    Node,
    calls_in,
    has_effect,
    spell,
    walk,
    writes,
)
from lazymmu.kernelc.parse.masks import macro_body, mask
from lazymmu.kernelc.parse.slices import definitions

LOOPS = frozenset({"for_each_entry"})


def function(body: str, head: str = "void f(int x, int y)") -> Function:
    """The graph of a function with this body, masked as those of a tree are."""
    source = f"{head}\n{{\n{body}\n}}".encode()
    return lower(mask(source, LOOPS), name="f", file="a.c", line=1)


def macro(definition: str) -> Function:
    """The graph of a macro from its `#define`."""
    source = f"{definition}\n".encode()
    (raw,) = definitions(source)
    body = mask(macro_body(source, raw), LOOPS)
    return lower(body, name=raw.name, file="a.h", line=1, macro_params=raw.params)


def happens(node: Node) -> list[str]:
    """What evaluating a node does that its callers could see."""
    if node.expr is None:
        return []
    said = [spell(call) for call in calls_in(node.expr)]
    for target, _ in writes(node.expr):
        if isinstance(node.expr, IncDec):
            said.append(spell(node.expr))
        elif isinstance(target, Name):
            said.append(f"{target.spelling} =")
    return said


def asked(expr: Expr) -> str:
    """A condition without effects, by its spelling; what a call or a temporary says, as `?`."""
    inner = [type(node) for node in walk(expr)]
    plain = not has_effect(expr) and Temporary not in inner and expr != Other()
    return spell(expr) if plain else "?"


def paths(graph: Function, *, visits: int = 1) -> list[str]:
    """Every path from beginning to end that comes to each node at most so often."""
    found: list[str] = []

    def go(index: int, said: list[str], seen: dict[int, int]) -> None:
        if seen.get(index, 0) == visits:
            return
        seen = {**seen, index: seen.get(index, 0) + 1}
        node = graph.nodes[index]
        said = [*said, *happens(node)]
        if node.op == RETURN:
            found.append(" ".join(said))
        elif node.op == BRANCH and node.expr is not None:
            test = asked(node.expr)
            go(node.succ[0], [*said, test], seen)
            go(node.succ[1], [*said, f"!{test}"], seen)
        elif node.op == SWITCH:
            for case, succ in zip(node.cases, node.succ, strict=True):
                go(succ, [*said, "default" if case is None else f"case {case}"], seen)
        else:
            for succ in node.succ:
                go(succ, said, seen)

    go(0, [], {})
    return sorted(found)


def check(body: str, *expected: str, visits: int = 1) -> None:
    """A function with this body is understood, and has these paths."""
    graph = function(body)
    assert not graph.broken
    assert paths(graph, visits=visits) == sorted(expected)


# ---- branches ------------------------------------------------------------------------------


def test_statements_follow_each_other() -> None:
    """Calls run in the order of the source, arguments before the call that takes them."""
    check("a(); b(c(), d(1)); return e();", "a() c() d(1) b(c(), d(1)) e()")


def test_if_and_else_are_two_ways_that_meet() -> None:
    """What follows an `if` runs after either of its arms."""
    check("if (x) a(); else b(); c();", "x a() c()", "!x b() c()")


def test_an_if_without_else_may_do_nothing() -> None:
    """The arm that is not there is a way of its own."""
    check("if (x) { a(); b(); } c();", "x a() b() c()", "!x c()")


def test_an_else_if_asks_only_after_the_first_failed() -> None:
    """A chain of conditions asks them in turn."""
    check(
        "if (x) a(); else if (y) b(); else c();",
        "x a()",
        "!x y b()",
        "!x !y c()",
    )


def test_comments_between_the_arms_do_not_matter() -> None:
    """A comment may stand wherever a statement may."""
    check("if (x) /* one */ a(); /* two */ else /* three */ b();", "x a()", "!x b()")


def test_a_negated_condition_swaps_the_arms() -> None:
    """`!x` is no condition of its own but `x` the other way round."""
    check("if (!x) a(); else b();", "!x a()", "x b()")


def test_likely_is_the_condition_inside() -> None:
    """The hints of compiler.h leave no trace."""
    check("if (likely(!x) && unlikely(y)) a();", "!x y a()", "!x !y", "x")


def test_and_asks_its_right_side_only_when_the_left_holds() -> None:
    """A call on the right of && runs on one path alone."""
    check("if (x && a()) b();", "x a() ? b()", "x a() !?", "!x")


def test_or_asks_its_right_side_only_when_the_left_fails() -> None:
    """A call on the right of || likewise."""
    check("if (x || a()) b();", "x b()", "!x a() ? b()", "!x a() !?")


def test_conditions_nest() -> None:
    """Parentheses, && inside || and ! outside of both."""
    check(
        "if (!(x && a()) || b()) c();",
        "!x c()",
        "x a() !? c()",
        "x a() ? b() ? c()",
        "x a() ? b() !?",
    )


def test_a_truth_value_with_effects_is_asked_by_branches() -> None:
    """`v = x && a()` calls `a` only when `x` holds, and gives `v` a value either way."""
    check("int v = x && a(); b(v);", "x a() ? v = b(v)", "x a() !? v = b(v)", "!x v = b(v)")


def test_a_returned_truth_value_is_asked_by_branches() -> None:
    """A truth value that is returned is asked by branches, as a condition is."""
    check("return x || a();", "x", "!x a() ?", "!x a() !?")


def test_a_conditional_expression_calls_one_arm() -> None:
    """`c ? a() : b()` is an if and else."""
    check("int v = x ? a() : b(); c();", "x a() v = c()", "!x b() v = c()")


def test_a_conditional_expression_as_an_argument_comes_before_the_call() -> None:
    """The arm runs first, then the call that takes its value."""
    graph = function("g(x ? a() : b());")
    assert [path.split()[:2] for path in paths(graph)] == [["!x", "b()"], ["x", "a()"]]
    assert all(path.split()[2].startswith("g(") for path in paths(graph))


def test_a_conditional_expression_without_effects_stays_whole() -> None:
    """Only effects need paths; a choice between values is one value."""
    check("g(x ? 1 : y);", "g((x ? 1 : y))")


def test_an_omitted_middle_is_the_condition_evaluated_once() -> None:
    """`a() ?: b()` (a GNU extension) calls `a` once."""
    check("int v = a() ?: b(); c();", "a() ? v = c()", "a() !? b() v = c()")


def test_an_omitted_middle_without_a_second_call_is_evaluated_once() -> None:
    """The same where only the condition is a call."""
    for path in paths(function("int v = a() ?: y; c();")):
        assert path.split().count("a()") == 1


# ---- loops ---------------------------------------------------------------------------------


def test_while_asks_before_each_round() -> None:
    """Nothing, or the body and the condition again."""
    check("while (x) a(); b();", "!x b()", "x a() !x b()", visits=2)


def test_do_runs_once_before_it_asks() -> None:
    """The body of do runs once before its condition is asked."""
    check("do { a(); } while (x); b();", "a() !x b()", "a() x a() !x b()", visits=2)


def test_a_do_with_commas_steps_before_it_asks() -> None:
    """The loop of page-table walks: step, advance, compare."""
    graph = function("do { a(x); } while (x++, y += 1, y != 9); b();")
    second, first = sorted(paths(graph, visits=2), key=len)
    assert second == "a(x) x++ y = !(y != 9) b()"
    assert first == "a(x) x++ y = (y != 9) a(x) x++ y = !(y != 9) b()"


def test_for_begins_asks_runs_and_steps() -> None:
    """A for loop begins, asks, runs and steps, in that order."""
    check(
        "for (x = 0; x < 3; x++) a(); b();",
        "x = !(x < 3) b()",
        "x = (x < 3) a() x++ !(x < 3) b()",
        visits=2,
    )


def test_a_for_may_declare_and_lack_a_condition() -> None:
    """Without a condition only a jump ends the loop."""
    check(
        "for (int i = 0;; i++) { if (x) break; a(); } b();",
        "i = x b()",
        "i = !x a() i++ x b()",
        visits=2,
    )


def test_break_leaves_the_innermost_loop() -> None:
    """A break leaves the innermost loop and nothing else."""
    check("while (x) { while (y) { break; } a(); return; } b();", "x y a()", "x !y a()", "!x b()")


def test_continue_of_a_for_steps_first() -> None:
    """`continue` goes to the step, not to the condition."""
    check(
        "for (; x; x++) { if (y) continue; a(); }",
        "!x",
        "x y x++ !x",
        "x !y a() x++ !x",
        visits=2,
    )


def test_continue_of_a_do_asks_first() -> None:
    """`continue` goes to the condition at the end."""
    check("do { if (y) continue; a(); } while (x);", "y !x", "!y a() !x")


def test_a_loop_macro_runs_never_or_more_often() -> None:
    """The head of a macro that loops may set any of its arguments."""
    graph = function("for_each_entry(x, y) { a(x); } b();")
    assert paths(graph, visits=2) == [
        "for each(x, y) x = y = !? b()",
        "for each(x, y) x = y = ? a(x) for each(x, y) x = y = !? b()",
    ]


def test_a_macro_before_a_block_is_a_loop_whatever_its_name() -> None:
    """No list of the tree is needed where the form tells."""
    graph = function("hash_walk_entries(x, y) { a(); } b();")
    assert len(paths(graph, visits=2)) == 2


def test_break_and_continue_work_in_loop_macros() -> None:
    """In loop macros break and continue work as in any loop."""
    graph = function("for_each_entry(x) { if (y) break; a(); continue; } b();")
    assert "for each(x) x = ? y b()" in paths(graph)


# ---- jumps ---------------------------------------------------------------------------------


def test_goto_skips_what_stands_between() -> None:
    """A goto to a label further down skips what stands between."""
    check("if (x) goto out; a(); out: b();", "x b()", "!x a() b()")


def test_goto_goes_back() -> None:
    """To a label further up; the second round is a path of its own."""
    check("again: a(); if (x) goto again; b();", "a() !x b()", "a() x a() !x b()", visits=2)


def test_a_label_after_a_return_is_reached_by_goto_alone() -> None:
    """A label after a return is reached by goto alone, which is the shape of error paths."""
    check("if (x) goto err; return a(); err: b(); return 1;", "x b()", "!x a()")


def test_an_asm_statement_goes_on_or_to_any_of_its_labels() -> None:
    """An asm goto continues behind itself or at each of its labels, as static keys do."""
    body = 'asm goto("b %l0" : : "i" (x) : : out, err); a(); out: b(); return; err: c();'
    check(body, "? b()", "!? ? c()", "!? !? a() b()")


def test_goto_enters_a_block() -> None:
    """A label may stand inside an arm that the goto is outside of."""
    check(
        "if (x) goto in; if (y) { a(); in: b(); } c();",
        "x b() c()",
        "!x y a() b() c()",
        "!x !y c()",
    )


def test_a_goto_to_nowhere_is_not_understood() -> None:
    """Rather than to end the path silently."""
    assert function("if (x) goto nowhere; a();").broken


def test_nothing_runs_after_a_return() -> None:
    """What no label makes reachable is not in the graph."""
    check("a(); return; b();", "a()")


def test_switch_goes_to_its_cases() -> None:
    """With breaks, each case is a way of its own; none may fit."""
    check(
        "switch (x) { case 1: a(); break; case 2: b(); break; } c();",
        "case 1 a() c()",
        "case 2 b() c()",
        "default c()",
    )


def test_switch_falls_through() -> None:
    """A case without a break goes on in the next one."""
    check(
        "switch (x) { case 1: a(); case 2: b(); break; default: c(); }",
        "case 1 a() b()",
        "case 2 b()",
        "default c()",
    )


def test_a_name_alone_is_a_macro_that_is_used() -> None:
    """It does what it stands for; a variable that stands alone does nothing."""
    check("begin; work(); end;", "begin() work() end()")
    check("int x = 1; a(); x; b();", "x = a() b()")


def test_several_labels_share_a_case() -> None:
    """`case 1: case 2:` and a default in the middle."""
    check(
        "switch (x) { case 1: case 2: a(); break; default: b(); case 3: c(); }",
        "case 1 a()",
        "case 2 a()",
        "case 3 c()",
        "default b() c()",
    )


def test_the_default_of_an_inner_switch_is_not_the_outer_ones() -> None:
    """The outer switch may still fit no case."""
    check(
        "switch (x) { case 1: switch (y) { default: a(); } break; } b();",
        "case 1 default a() b()",
        "default b()",
    )


def test_a_word_that_contains_default_is_no_default() -> None:
    """Nor is a call whose name has it."""
    check(
        "switch (x) { case 1: set_default(y); break; } b();",
        "case 1 set_default(y) b()",
        "default b()",
    )


def test_continue_in_a_switch_belongs_to_the_loop() -> None:
    """In a switch continue belongs to the loop around it, and `break` to the switch."""
    check(
        "while (x) { switch (y) { case 1: continue; case 2: break; } a(); return; } b();",
        "!x b()",
        "x case 2 a()",
        "x default a()",
    )


def test_a_case_may_be_given_by_a_name() -> None:
    """What an enumerator is worth is not known here, and of a range nothing: None."""
    graph = function("switch (x) { case ONE: a(); break; case 2 ... 4: b(); }")
    (switch,) = [node for node in graph.nodes if node.op == SWITCH]
    assert switch.cases == ("ONE", None, None)


# ---- statement expressions -----------------------------------------------------------------


def test_a_statement_expression_runs_its_statements_first() -> None:
    """Its value is that of the last one."""
    graph = function("int v = ({ a(); if (x) b(); c(); });")
    assert paths(graph) == ["a() !x c() v =", "a() x b() c() v ="]


def test_a_statement_expression_may_be_a_condition() -> None:
    """A statement expression may be a condition, which its last expression decides."""
    check("if (({ a(); x; })) b();", "a() x b()", "a() !x")


def test_a_statement_expression_may_return() -> None:
    """Out of the function around it."""
    check("int v = ({ if (x) return; a(); }); b();", "x", "!x a() v = b()")


# ---- guards --------------------------------------------------------------------------------


def test_a_guard_is_dropped_at_the_end_of_its_block() -> None:
    """A guard is taken where it stands and dropped at the end of its block.

    (include/linux/cleanup.h)
    """
    check(
        "{ guard(mutex)(m); a(); } b();",
        "guard:mutex(m) a() ~guard:mutex(m) b()",
    )


def test_guards_are_dropped_in_reverse() -> None:
    """Guards are dropped in reverse order, the last one first."""
    check(
        "guard(mutex)(m); guard(rcu)(); a();",
        "guard:mutex(m) guard:rcu() a() ~guard:rcu() ~guard:mutex(m)",
    )


def test_a_return_drops_all_guards_after_its_value_is_made() -> None:
    """`return a()` calls `a` under the guard."""
    check(
        "guard(mutex)(m); if (x) return a(); b();",
        "guard:mutex(m) x a() ~guard:mutex(m)",
        "guard:mutex(m) !x b() ~guard:mutex(m)",
    )


def test_a_goto_out_of_a_scope_drops_its_guards() -> None:
    """And keeps those of the scope that the label is in."""
    check(
        "guard(rcu)(); { guard(mutex)(m); if (x) goto out; a(); } b(); out: c();",
        "guard:rcu() guard:mutex(m) x ~guard:mutex(m) c() ~guard:rcu()",
        "guard:rcu() guard:mutex(m) !x a() ~guard:mutex(m) b() c() ~guard:rcu()",
    )


def test_a_goto_back_within_a_scope_keeps_its_guards() -> None:
    """The label stands below the guard."""
    check(
        "guard(mutex)(m); again: a(); if (x) goto again; b();",
        "guard:mutex(m) a() !x b() ~guard:mutex(m)",
        "guard:mutex(m) a() x a() !x b() ~guard:mutex(m)",
        visits=2,
    )


def test_break_and_continue_drop_the_guards_of_the_body() -> None:
    """As the end of the body does."""
    check(
        "while (x) { guard(mutex)(m); if (y) break; a(); } b();",
        "!x b()",
        "x guard:mutex(m) y ~guard:mutex(m) b()",
    )
    check(
        "do { guard(mutex)(m); if (y) continue; a(); } while (x);",
        "guard:mutex(m) y ~guard:mutex(m) !x",
        "guard:mutex(m) !y a() ~guard:mutex(m) !x",
    )


def test_a_scoped_guard_is_no_loop() -> None:
    """Its body runs once, under the guard, and not at all if that may not be had and was not."""
    check(
        "scoped_guard(mutex, m) { a(); } b();",
        "guard:mutex(m) 1 a() ~guard:mutex(m) b()",
        "guard:mutex(m) !1 ~guard:mutex(m) b()",
    )


def test_a_scoped_guard_may_lack_an_argument_and_a_block() -> None:
    """Some classes guard nothing in particular."""
    check(
        "scoped_guard(rcu) a(); b();",
        "guard:rcu() 1 a() ~guard:rcu() b()",
        "guard:rcu() !1 ~guard:rcu() b()",
    )


def test_jumps_out_of_a_scoped_guard_drop_it() -> None:
    """Return, goto, and break, which ends the scope."""
    check(
        "scoped_guard(mutex, m) { if (x) return a(); if (y) break; b(); } c();",
        "guard:mutex(m) 1 x a() ~guard:mutex(m)",
        "guard:mutex(m) 1 !x y ~guard:mutex(m) c()",
        "guard:mutex(m) 1 !x !y b() ~guard:mutex(m) c()",
        "guard:mutex(m) !1 ~guard:mutex(m) c()",
    )
    check(
        "scoped_guard(mutex, m) { if (x) goto out; a(); } b(); out: c();",
        "guard:mutex(m) 1 x ~guard:mutex(m) c()",
        "guard:mutex(m) 1 !x a() ~guard:mutex(m) b() c()",
        "guard:mutex(m) !1 ~guard:mutex(m) b() c()",
    )


def test_a_scoped_guard_inside_a_loop_is_dropped_each_round() -> None:
    """A scoped guard inside a loop is dropped in each round, and does not stay held."""
    check(
        "while (x) { scoped_guard(mutex, m) a(); } b();",
        "!x b()",
        "x guard:mutex(m) 1 a() ~guard:mutex(m) !x b()",
        "x guard:mutex(m) !1 ~guard:mutex(m) !x b()",
        visits=2,
    )


def test_a_conditional_guard_that_fails_returns() -> None:
    """Without running its body; its destructor finds that there is nothing to drop."""
    check(
        "scoped_cond_guard(mutex_try, return -EBUSY, m) { a(); } b();",
        "guard:mutex_try(m) ? a() ~guard:mutex_try(m) b()",
        "guard:mutex_try(m) !? ~guard:mutex_try(m)",
    )


def test_a_conditional_guard_that_fails_may_jump() -> None:
    """Dropping what was taken before it."""
    check(
        "{ guard(rcu)(); scoped_cond_guard(mutex_try, goto out, m) a(); } b(); out: c();",
        "guard:rcu() guard:mutex_try(m) ? a() ~guard:mutex_try(m) ~guard:rcu() b() c()",
        "guard:rcu() guard:mutex_try(m) !? ~guard:mutex_try(m) ~guard:rcu() c()",
    )


def test_a_conditional_guard_that_fails_may_do_something_else() -> None:
    """And then goes on behind its body."""
    check(
        "scoped_cond_guard(mutex_try, lose(), m) a(); b();",
        "guard:mutex_try(m) ? a() ~guard:mutex_try(m) b()",
        "guard:mutex_try(m) !? lose() ~guard:mutex_try(m) b()",
    )


def test_a_cleanup_function_runs_where_its_variable_goes_out_of_scope() -> None:
    """With the variable's address, once the value that is returned is made."""
    check(
        "{ int on __attribute__((cleanup(end))) = a(); if (on) return *p; b(); } c();",
        "a() on = on end(&on) on =",
        "a() on = !on b() end(&on) on = c()",
    )
    check(
        "struct box *x __free(put) = a(), *y __free(drop) = b(); c();",
        "a() x = b() y = c() __free_drop(&y) y = __free_put(&x) x =",
    )


def test_a_guard_of_a_named_variable_is_one_like_any() -> None:
    """CLASS() names its variable, and may stand in the head of a loop, which it outlives."""
    check("{ CLASS(file, f)(fd); a(); } b();", "guard:file(fd) a() ~guard:file(fd) b()")
    check(
        "for (CLASS(file, f)(fd); x; a()) { if (y) break; b(); } c();",
        "guard:file(fd) !x ~guard:file(fd) c()",
        "guard:file(fd) x y ~guard:file(fd) c()",
    )


def test_a_statement_expression_drops_its_guards_after_its_value() -> None:
    """The value is made under the guard."""
    check(
        "x = ({ guard(mutex)(m); a(); }); b();",
        "guard:mutex(m) a() ~guard:mutex(m) x = b()",
    )


# ---- macros --------------------------------------------------------------------------------


def test_a_macro_of_an_expression_returns_its_value() -> None:
    """So that a call of it has a value."""
    graph = macro("#define twice(x) (a(x) + a(x))")
    assert graph.params == ("x",)
    assert paths(graph) == ["a(x) a(x)"]
    assert [spell(n.expr) for n in graph.nodes if n.op == RETURN and n.expr] == ["(a(x) + a(x))"]


def test_a_macro_of_a_call_is_that_call() -> None:
    """A macro whose text is a call, the commonest of all, is that call."""
    assert paths(macro("#define set_one(m, p) set_many(m, p, 1)")) == ["set_many(m, p, 1)"]


def test_a_macro_of_do_and_while_is_statements() -> None:
    """A macro of do and while (0) is statements, and has no value."""
    graph = macro("#define both(x) do { if (x) a(); \\\n\tb(x); } while (0)")
    assert [path.removesuffix(" !0") for path in paths(graph)] == ["!x b(x)", "x a() b(x)"]


def test_a_macro_of_a_statement_expression_has_its_last_value() -> None:
    """A macro of a statement expression runs its statements and has the value of the last."""
    graph = macro("#define get(x) ({ a(x); b(x); })")
    assert paths(graph) == ["a(x) b(x)"]
    assert not graph.broken


def test_a_macro_of_bare_statements_runs_them() -> None:
    """With and without a semicolon at the end."""
    assert paths(macro("#define both(x) a(x); b(x)")) == ["a(x) b(x)"]
    assert paths(macro("#define both(x) a(x); b(x);")) == ["a(x) b(x)"]


def test_an_empty_macro_does_nothing() -> None:
    """`#define hook(x)` and its cousin `do { } while (0)`."""
    assert paths(macro("#define hook(x)")) == [""]
    assert paths(macro("#define hook(x) do { } while (0)"))[0].strip() in ("", "!0")


def test_a_macro_may_be_an_if() -> None:
    """A macro may be an if, without braces around it."""
    assert paths(macro("#define maybe(x) if (x) a()")) == ["!x", "x a()"]


# ---- places --------------------------------------------------------------------------------


def places(graph: Function) -> dict[str, tuple[int, int]]:
    """Line and column of each call."""
    return {
        call.name: (call.line, call.column)
        for node in graph.nodes
        if node.expr is not None
        for call in calls_in(node.expr)
        if call.name is not None
    }


def test_calls_stand_where_they_stand_in_the_file() -> None:
    """Lines and columns count from one; tabs are one column."""
    source = b"static int f(int x)\n{\n\ta();\n\tif (x &&\n\t    b(c()))\n\t\treturn d();\n}\n"
    graph = lower(mask(source, LOOPS), name="f", file="a.c", line=40)
    assert places(graph) == {"a": (42, 2), "b": (44, 6), "c": (44, 8), "d": (45, 10)}


def test_a_slice_that_begins_within_a_line_counts_from_there() -> None:
    """The first line alone is shifted."""
    graph = lower(b"void f(void) { a();\nb(); }", name="f", file="a.c", line=7, column=10)
    assert places(graph) == {"a": (7, 26), "b": (8, 1)}


def test_calls_in_macros_stand_in_the_macro() -> None:
    """On the lines of its definition."""
    graph = macro("#define both(x) do { \\\n\ta(x); \\\n\tb(x); \\\n} while (0)")
    assert {name: line for name, (line, _) in places(graph).items()} == {"a": 2, "b": 3}


def test_the_end_of_a_function_is_at_its_brace() -> None:
    """Where a path that runs off the end returns."""
    graph = function("a();")
    (end,) = [node for node in graph.nodes if node.op == RETURN]
    assert (end.line, end.column) == (4, 1)


# ---- heads ---------------------------------------------------------------------------------


def test_parameters_and_variables_have_types() -> None:
    """Pointers are spelled with a blank before each star."""
    graph = function(
        "pte_t *pte, **ptes; struct page *page = g(); unsigned long addr; int (*fn)(int);",
        head="static pte_t *f(struct mm_struct *mm, spinlock_t **ptlp, gfp_t flags)",
    )
    assert graph.params == ("mm", "ptlp", "flags")
    assert graph.returns == "pte_t *"
    assert graph.types["mm"] == "struct mm_struct *"
    assert graph.types["ptlp"] == "spinlock_t * *"
    assert graph.types["flags"] == "gfp_t"
    assert graph.types["pte"] == "pte_t *"
    assert graph.types["ptes"] == "pte_t * *"
    assert graph.types["page"] == "struct page *"
    assert graph.types["addr"] == "unsigned long"
    assert "fn" in graph.types


def test_void_is_no_parameter() -> None:
    """The list of parameters in `f(void)` is empty."""
    assert function("a();", head="void f(void)").params == ()


def test_a_callback_is_a_parameter() -> None:
    """A pointer to a function has its own name among the others."""
    graph = function("fn(x, d);", head="int f(int x, int (*fn)(int, void *), void *d)")
    assert graph.params == ("x", "fn", "d")


@pytest.mark.parametrize("text", ["void f(int x)\n{\n\tif (x {\n\ta();\n}", "", "int x;", "{{{"])
def test_what_cannot_be_parsed_says_so(text: str) -> None:
    """A broken function never raises, and never passes for a whole one."""
    assert lower(text.encode(), name="f", file="a.c", line=1).broken
