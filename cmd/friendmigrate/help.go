package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
)

const helpWidth = 100

// The library's completion command, and the flag with which its scripts ask the program what may
// follow.
const (
	completionName = "completion"
	completionFlag = "--generate-shell-completion"
)

func completionCommand() command {
	return command{name: completionName, args: "SHELL",
		usage: "prints a script that completes commands and flags in bash, zsh, fish or pwsh"}
}

// noShell answers completion without a shell that it knows.
func (p *program) noShell() error {
	return &exit.Error{
		Code: exit.Unusable,
		Err:  errors.New("completion needs the name of a shell: bash, zsh, fish or pwsh"),
		Hint: exit.Parse(p.Args[0], completionName, nil, nil).Of("bash").String(),
	}
}

// showHelp prints the help text of a command or a topic; without words the program's.
func (p *program) showHelp(words ...string) error {
	name := append(words, "")[0]
	page, isTopic, err := p.topic(name, words[min(1, len(words)):])
	if err != nil {
		return err
	}
	text := page
	switch c := find(name); {
	case c != nil:
		text = c.help()
	case name == "":
		text = rootHelp()
	case !isTopic:
		return p.unknownCommand(name)
	}
	_, err = io.WriteString(p.Std.Out, text)
	return err
}

func rootHelp() string {
	var b strings.Builder
	b.WriteString(`friendmigrate moves a social graph into Tencent Chat, at the service's limit, with an account of what
became of every friendship.

`)
	for _, c := range commands() {
		b.WriteString(aligned("  "+strings.TrimSpace(c.name+" "+c.args), c.usage))
	}
	b.WriteString(aligned("\nTopics of help:", strings.Join(topics(), ", ")+"; man prints the manual page, for man -l -"))
	b.WriteString("\nTo see it at work without an app or a key: friendmigrate import --rehearse INPUT\n\n")
	b.WriteString(exitCodes())
	return b.String()
}

// help is the help text of the command.
func (c command) help() string {
	text := "friendmigrate " + c.name
	flags := c.declared()
	if len(flags) > 0 {
		text += " [flags]"
	}
	text = strings.TrimSpace(text+" "+c.args) + "\n\n"
	if c.text == "" {
		return text + c.usage + "\n"
	}
	text += flow(c.text) + flagHelp(flags)
	except := ""
	for _, f := range flags {
		if f.NoVariable && !f.Hidden {
			except = " but --" + f.Name
		}
	}
	text += flow("Every flag" + except + " is also read from a variable: --some-flag from " +
		settings.Variable("some-flag") + "; the flag wins.")
	if c.codes == "" {
		return text + exitCodes()
	}
	return text + strings.TrimSuffix(flow("Exit codes: "+c.codes+"."), "\n")
}

// flagHelp lists flags by group.
func flagHelp(flags []settings.Flag) string {
	var b strings.Builder
	var groups []string
	for _, f := range flags {
		if !f.Hidden && !slices.Contains(groups, f.Group) {
			groups = append(groups, f.Group)
		}
	}
	for _, g := range groups {
		if g != "" {
			b.WriteString(strings.ToUpper(g[:1]) + g[1:] + ":\n")
		}
		for _, f := range flags {
			if f.Group == g && !f.Hidden {
				b.WriteString(flagLines(f))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func flagLines(f settings.Flag) string {
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
	return aligned(head, text)
}

// aligned is a name and in a column beside it what it means.
func aligned(head, text string) string {
	const column = 30
	if len(head) > column-2 {
		head += "\n" + strings.Repeat(" ", column)
	} else {
		head += strings.Repeat(" ", column-len(head))
	}
	return head + strings.Join(wrap(text, helpWidth-column), "\n"+strings.Repeat(" ", column)) + "\n"
}

func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// flow fits paragraphs into the width. Indented ones stay as they are.
func flow(text string) string {
	var b strings.Builder
	for p := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		if !strings.HasPrefix(p, " ") {
			p = strings.Join(wrap(p, helpWidth), "\n")
		}
		b.WriteString(p + "\n\n")
	}
	return b.String()
}

func exitCodes() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, r := range exit.Table() {
		text := r.Meaning
		if r.Again != "" {
			text += ". Run again? " + r.Again
		}
		fmt.Fprintf(&b, "  %2d  %s\n", r.Code, strings.Join(wrap(text, helpWidth-6), "\n      "))
	}
	return b.String()
}
