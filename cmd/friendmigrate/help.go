package main

import (
	"embed"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
)

// The library's completion command, and the flag with which its scripts ask the program what may
// follow.
const (
	completionName = "completion"
	completionFlag = "--generate-shell-completion"

	completionUsage = "prints a script that completes commands and flags in bash, zsh, fish or pwsh"
)

// showHelp prints the help text of a command or a topic, or of the program if there are no words.
func (p *program) showHelp(words ...string) error {
	name := append(words, "")[0]
	page, isTopic, err := p.topic(name, words[min(1, len(words)):])
	if err != nil {
		return err
	}
	text, width := page, terminal.Width(p.Std.Out)
	switch c := p.find(name); {
	case c != nil:
		text = c.help(width)
	case name == "":
		text = p.rootHelp(width)
	case !isTopic:
		return p.unknownCommand(name)
	}
	_, err = io.WriteString(p.Std.Out, text)
	return err
}

// unknownCommand returns an error that names the command that was probably meant, if one is close.
func (p *program) unknownCommand(name string) error {
	e := &exit.Error{Code: exit.Unusable, Err: fmt.Errorf("unknown command %q", name),
		Hint: exit.Parse(p.Args[0], "help", nil, nil).String() + " # lists the commands"}
	known := topics()
	for _, c := range p.commands {
		known = append(known, c.name)
	}
	if nearest := migrate.Nearest(name, max(2, len(name)/2), known...); nearest != "" {
		e.Err = fmt.Errorf("%w; did you mean %q?", e.Err, nearest)
		e.Hint = p.corrected(slices.Index(p.Args, name), nearest)
	}
	return e
}

func (p *program) rootHelp(width int) string {
	var b strings.Builder
	b.WriteString(terminal.Flow("friendmigrate moves a social graph into Tencent Chat, at the service's limit, with "+
		"an account of what became of every friendship.", width))
	for _, c := range p.commands {
		b.WriteString(terminal.Aligned("  "+strings.TrimSpace(c.name+" "+c.args), c.usage, width))
	}
	b.WriteString("\n" + terminal.Aligned("Topics of help:",
		strings.Join(topics(), ", ")+"; man prints the manual page, for man -l -", width))
	b.WriteString("\n" +
		terminal.Flow("To see it at work without an app or a key: friendmigrate import --rehearse INPUT", width))
	b.WriteString(exitCodes(width))
	return b.String()
}

// help returns the help text of the command. Its page has the examples, the text and, if the
// command has some of its own, the exit codes.
func (c command) help(width int) string {
	text := "friendmigrate " + c.name
	flags := c.declared()
	if len(flags) > 0 {
		text += " [flags]"
	}
	text = strings.TrimSpace(text+" "+c.args) + "\n\n"
	page, _ := pages.ReadFile("topics/commands/" + c.name + ".txt")
	parts := strings.Split(string(page), "\n---\n")
	if lines := examples(parts[0], width); lines != "" {
		text += lines + "\n"
	}
	if len(parts) == 1 {
		return text + strings.TrimSuffix(terminal.Flow(c.usage, width), "\n")
	}
	text += terminal.Flow(parts[1], width) + flagHelp(flags, width)
	text += terminal.Flow(variables(flags), width)
	if len(parts) == 2 {
		return text + exitCodes(width)
	}
	return text + strings.TrimSuffix(terminal.Flow(parts[2], width), "\n")
}

// variables says which of the flags are also read from a variable.
func variables(flags []settings.Flag) string {
	var except []string
	for _, f := range flags {
		if name := "--" + f.Name; f.NoVariable && !f.Hidden && !slices.Contains(except, name) {
			except = append(except, name)
		}
	}
	text := "Every flag"
	if len(except) > 0 {
		text += " but " + strings.Join(except, " and ")
	}
	return text + " is also read from a variable: --some-flag from " + settings.Variable("some-flag") +
		"; the flag wins."
}

// examples formats lines that can be run. The comment on a line goes above it if there is no room
// after it.
func examples(text string, width int) string {
	var lines strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		line = strings.TrimRight(line, "\n") + "\n"
		if does, comment, _ := strings.Cut(strings.TrimSpace(line), "  #"); len(line) > width && comment != "" {
			line = "  #" + comment + "\n  " + strings.TrimSpace(does) + "\n"
		}
		lines.WriteString(line)
	}
	return lines.String()
}

func flagHelp(flags []settings.Flag, width int) string {
	var b strings.Builder
	var groups []string
	for _, f := range flags {
		if !f.Hidden && !slices.Contains(groups, f.Group) {
			groups = append(groups, f.Group)
		}
	}
	for _, g := range groups {
		if g != "" {
			b.WriteString(strings.Join(terminal.Wrap(strings.ToUpper(g[:1])+g[1:]+":", width), "\n") + "\n")
		}
		for _, f := range flags {
			if f.Group == g && !f.Hidden {
				b.WriteString(flagLines(f, width))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func flagLines(f settings.Flag, width int) string {
	head := "  --" + f.Name
	switch f.Kind {
	case settings.Takes:
		head += " " + f.Value
	case settings.Optional:
		head += "[=" + f.Value + "]"
	}
	text := f.Usage
	if f.Default != "" {
		text += " (default: " + f.Default + ")"
	}
	return terminal.Aligned(head, text, width)
}

func exitCodes(width int) string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, r := range exit.Table() {
		text := r.Meaning
		if r.Again != "" {
			text += ". Run again? " + r.Again
		}
		fmt.Fprintf(&b, "  %2d  %s\n", r.Code, strings.Join(terminal.Wrap(text, width-6), "\n      "))
	}
	return b.String()
}

// pages are the help topics: text files, so that they can be read in the repository, too.
//
//go:embed topics
var pages embed.FS

// topics returns the names of the pages.
func topics() (names []string) {
	files, _ := fs.Glob(pages, "topics/*.md")
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".md"))
	}
	return names
}

// topic returns the text of a page; more are the words after its name. ok is false if there is no
// such page.
func (p *program) topic(name string, more []string) (text string, ok bool, err error) {
	if name == "man" {
		return p.manPage(), true, nil
	}
	if !slices.Contains(topics(), name) {
		return "", false, nil
	}
	if name == "codes" && len(more) > 0 {
		text, err := p.codeHelp(more[0])
		return text, true, err
	}
	page, err := pages.ReadFile("topics/" + name + ".md")
	return string(page), true, err
}

// codeHelp says what a code of the service means and what the program does about it.
func (p *program) codeHelp(word string) (string, error) {
	code, err := strconv.Atoi(word)
	if err != nil {
		return "", job.Unusable(p.Line().Of("codes", "30008"), "%q is not a code: codes are numbers, such as 30008",
			word)
	}
	text := inspect.Code(code)
	if text == "" {
		return "", &exit.Error{Code: exit.Unusable,
			Err:  fmt.Errorf("the vendor's tables do not have the code %d", code),
			Hint: p.Line().Of("codes").String() + " # says what happens on such codes"}
	}
	return text, nil
}

// manPage returns the manual page of the program in roff, made from the declared commands and
// flags.
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
	var all []settings.Flag
	for _, c := range p.commands {
		put(".SS %s\n%s.", c.name, c.usage)
		flags := c.declared()
		all = append(all, flags...)
		for _, f := range flags {
			if f.Hidden {
				continue
			}
			put(".TP\n.BR \\-\\-%s \" \" \\fI%s\\fR\n%s", f.Name, f.Value, f.Usage)
		}
	}
	put(".SH ENVIRONMENT\n%s", variables(all))
	put(".SH EXIT STATUS")
	for _, row := range exit.Table() {
		put(".TP\n.B %s\n%s", strconv.Itoa(int(row.Code)), row.Meaning)
	}
	put(".SH SEE ALSO\nfriendmigrate help %s", strings.Join(topics(), ", "))
	return b.String()
}

// roff escapes what roff would read as a command.
var roff = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n.", "\n\\&.", "\n'", "\n\\&'")
