#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The judge of KUnit results must tell passed, failed and cut short apart. The
# documents are written after Documentation/dev-tools/ktap.rst of the kernel.
set -euo pipefail

ktap=tools/testing/kunit/ktap
report=$TMPDIR/report
bad=0

# expect STATUS LAST-LINE NAME: judge the report on standard input.
expect()
{
	local status=0 output last

	cat >"$report"
	output=$("$ktap" "$report") || status=$?
	last=$(tail -n 1 <<<"$output")
	if [[ $status != "$1" || $last != *"$2"* ]]; then
		printf '%s: status %s, wanted %s; said:\n%s\n' "$3" "$status" "$1" "$output"
		bad=1
	fi
}

suite='KTAP version 1
1..1
    KTAP version 1
    # Subtest: codec
    1..2
    ok 1 encode
    ok 2 decode
# codec: pass:2 fail:0 skip:0 total:2
ok 1 codec'

expect 0 '2 passed, 0 failed, 0 skipped' 'all passed' <<END
begin a_kunit
$suite
end a_kunit
END

expect 0 '4 passed, 0 failed, 0 skipped' 'two suites, two modules' <<END
begin a_kunit
$suite
end a_kunit
begin b_kunit
$suite
end b_kunit
END

expect 1 '1 passed, 1 failed, 0 skipped' 'one failed' <<END
begin a_kunit
$(sed -e 's/    ok 2 decode/    not ok 2 decode/' -e 's/^ok 1/not ok 1/' <<<"$suite")
end a_kunit
END

expect 0 '1 passed, 0 failed, 1 skipped' 'one skipped' <<END
begin a_kunit
${suite/ok 2 decode/ok 2 decode # SKIP no key}
end a_kunit
END

expect 1 '2 passed, 1 failed, 0 skipped' 'a parameter failed, with free text before it' <<END
begin a_kunit
KTAP version 1
1..1
    KTAP version 1
    # Subtest: codec
    1..2
    ok 1 encode
        KTAP version 1
        # Subtest: decode
        ok 1 short
    # decode: EXPECTATION FAILED at x.c:1
    Expected 1 == 2
        not ok 2 long
    not ok 2 decode
not ok 1 codec
end a_kunit
END

expect 2 'no tests at all' 'nothing ran' </dev/null
expect 2 'has no suites' 'a module without suites' <<<$'begin a_kunit\nend a_kunit'
expect 2 'has no tests' 'the empty document of a boot' <<END
begin a_kunit
KTAP version 1
1..0
end a_kunit
END
expect 2 'no end of a_kunit' 'cut short after a suite' <<END
begin a_kunit
$suite
END
expect 2 'is missing' 'cut short within a suite' <<END
begin a_kunit
$(sed '/ok 2 decode/,$d' <<<"$suite")
END
expect 2 'is missing' 'fewer results than planned' <<END
begin a_kunit
$(sed '/ok 2 decode/d' <<<"$suite")
end a_kunit
END
expect 2 'no end of a_kunit' 'more results than planned' <<END
begin a_kunit
$suite
ok 2 more
end a_kunit
END
expect 2 'where 2 should be' 'a number out of order' <<END
begin a_kunit
${suite/ok 2 decode/ok 3 decode}
end a_kunit
END
expect 2 'a part of it failed' 'a parent that hides a failure' <<END
begin a_kunit
${suite/ok 2 decode/not ok 2 decode}
end a_kunit
END

exit "$bad"
