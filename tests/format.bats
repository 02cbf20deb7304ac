# What the compiler checks of a message: src/log/format.hpp.

load helpers

# The header is compiled once, for it takes longer than a statement.
setup_file() {
  echo '#include "log/log.hpp"' >"$BATS_FILE_TMPDIR/header.hpp"
  c++ -std=c++20 -I"$BATS_TEST_DIRNAME/../src" -x c++-header "$BATS_FILE_TMPDIR/header.hpp"
}

# Compiles one statement that logs a message.
compile() {
  printf 'using namespace foster::log;\nvoid log_one(const Messages& messages) { %s; }\n' "$1" |
    c++ -std=c++20 -fsyntax-only -I"$BATS_TEST_DIRNAME/../src" -include "$BATS_FILE_TMPDIR/header.hpp" -x c++ -
}

@test "a message that fits its values compiles" {
  run -0 compile 'messages.warning("pipe-broken|{name}[{pid}]{} after {}: {reason}{!code}", "cat", 7, std::string_view(""), true, Error{32}, OptionalNumber())'
  run -0 compile 'messages.warning("pipe-broken|{name}[{pid}]", "name"_is = "cat", "pid"_is = 7)'
  run -0 compile 'messages.warning("many|{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)'
}

# must_not_compile STATEMENT WHY: it is refused, and the compiler names why.
must_not_compile() {
  run compile "$1"
  expect [ "$status" != 0 ]
  expect_in "$2" "$output"
}

@test "a message without an event, or with nothing after it, does not compile" {
  must_not_compile 'messages.warning("the pipe is broken")' a_message_begins_with_its_event_and_a_bar
  must_not_compile 'messages.warning("|the pipe is broken")' a_message_begins_with_its_event_and_a_bar
  must_not_compile 'messages.warning("pipe-broken|")' a_message_begins_with_its_event_and_a_bar
  must_not_compile 'messages.warning("Pipe broken|by {name}", "cat")' a_message_begins_with_its_event_and_a_bar
  must_not_compile 'messages.warning("{name}|is broken", "cat")' a_message_begins_with_its_event_and_a_bar
  must_not_compile 'fail(1, "the pipe is broken")' a_message_begins_with_its_event_and_a_bar
}

@test "a message with the name of a member that every message has, or with one name twice, does not compile" {
  for name in time level event message; do
    must_not_compile "messages.warning(\"pipe-broken|{$name}\", 7)" a_field_has_a_name_that_every_message_has
    must_not_compile "messages.warning(\"pipe-broken|broken{!$name}\", 7)" a_field_has_a_name_that_every_message_has
  done
  must_not_compile 'messages.warning("pipe-broken|{pid} and {pid}", 7, 8)' two_fields_have_one_name
}

@test "a message with too few or too many values does not compile" {
  must_not_compile 'messages.warning("pipe-broken|by {name}")' the_values_do_not_fit_the_fields
  must_not_compile 'messages.warning("pipe-broken|by {name}", "cat", 7)' the_values_do_not_fit_the_fields
  must_not_compile 'messages.warning("pipe-broken|by {name}", "pid"_is = 7)' the_values_do_not_fit_the_fields
  must_not_compile 'messages.warning("pipe-broken|{name}{pid}", "pid"_is = 7, "name"_is = "cat")' the_values_do_not_fit_the_fields
}

@test "a field that is not closed, or has a kind behind its name, does not compile" {
  for field in '{' '{name' '{name:d}' '{:v}' '{x:}' '{Name}' '{!}' '{{}' '{ }'; do
    must_not_compile "messages.warning(\"pipe-broken|by $field\", 7)" a_field_is_not_closed_or_its_name_is_not_of_lower_case_letters
  done
}

@test "a value that no field can print does not compile" {
  for value in 7.5 1.5f "Level::ERROR" "&messages"; do
    must_not_compile "messages.warning(\"pipe-broken|by {}\", $value)" 'no field can print a value of this type'
  done
}

@test "a message with more than 15 values does not compile" {
  must_not_compile 'messages.warning("many|{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)' \
    'more values than Kinds has room for'
}
