package main

import (
	"fmt"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
)

// manPage is the manual page of the program, in roff, made of what the commands and flags declare.
func (p *program) manPage() string {
	var b strings.Builder
	put := func(format string, args ...any) {
		for i, a := range args {
			args[i] = roff.Replace(fmt.Sprint(a))
		}
		fmt.Fprintf(&b, format+"\n", args...)
	}
	put(".TH FRIENDMIGRATE 1 \"\" \"friendmigrate %s\"", p.Version)
	put(".SH NAME\nfriendmigrate \\- moves a social graph into Tencent Chat")
	put(".SH SYNOPSIS\n.B friendmigrate\n.I COMMAND\n[flags] [arguments]")
	put(".SH COMMANDS")
	for _, c := range commands() {
		put(".SS %s\n%s.", c.name, c.usage)
		for _, f := range c.declared() {
			if f.Hidden {
				continue
			}
			put(".TP\n.BR \\-\\-%s \" \" \\fI%s\\fR\n%s", f.Name, f.Value, f.Usage)
		}
	}
	put(".SH ENVIRONMENT\nEach flag is also read from a variable: \\-\\-some\\-flag from %s. The flag wins.", settings.Variable("some-flag"))
	put(".SH EXIT STATUS")
	for _, row := range exit.Table() {
		put(".TP\n.B %d\n%s", row.Code, row.Meaning)
	}
	put(".SH SEE ALSO\nfriendmigrate help %s", strings.Join(topics(), ", "))
	return b.String()
}

// roff escapes what roff would read as a command.
var roff = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n.", "\n\\&.", "\n'", "\n\\&'")
