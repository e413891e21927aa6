package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
)

const helpWidth = 100

// helpText is the key in a command's metadata of the function that writes its help text.
const helpText = "help text"

// The library's completion command and the flag with which its scripts ask the program what may
// follow.
const (
	completionCommand = "completion"
	completionFlag    = "--generate-shell-completion"
	completionUsage   = "prints a script that completes commands and flags in bash, zsh, fish or pwsh"
)

// showHelp prints the help text of a command or a topic; without words the program's.
func (p *program) showHelp(words ...string) error {
	name := append(words, "")[0]
	text := rootHelp()
	page, isTopic, err := p.topic(name, words[min(1, len(words)):])
	if err != nil {
		return err
	}
	switch c := leafNamed(name); {
	case name == completionCommand:
		text = "friendmigrate completion SHELL\n\n" + completionUsage + "\n"
	case c != nil && c.Metadata[helpText] == nil:
		text = "friendmigrate " + name + "\n\n" + c.Usage + "\n"
	case c != nil:
		text = c.Metadata[helpText].(func() string)()
	case isTopic:
		text = page
	case name != "":
		return p.unknownCommand(name)
	}
	_, err = io.WriteString(p.Std.Out, text)
	return err
}

// noShell answers completion without a shell that it knows.
func (p *program) noShell(_ context.Context, c *cli.Command) error {
	return &exit.Error{
		Code: exit.Unusable,
		Err:  errors.New("completion needs the name of a shell: bash, zsh, fish or pwsh"),
		Hint: exit.Parse(p.Args[0], completionCommand, nil, nil).Of("bash").String(),
	}
}

func rootHelp() string {
	var b strings.Builder
	b.WriteString(`friendmigrate moves a social graph into Tencent Chat, at the service's limit, with an account of what
became of every friendship.

  friendmigrate import INPUT...     the job: validate, group, send, record, report; again to resume
  friendmigrate plan INPUT...       what an import would take; nothing is sent
  friendmigrate status              where the job stands, also while it runs
  friendmigrate failures            what the service refused: by code with advice, or as a list
  friendmigrate explain FROM [TO]   what happened to one account or one edge
  friendmigrate undo-list           which pairs this job created, as requests of friend_delete
  friendmigrate pace [RATE]         show or change how fast the job sends, pause and resume it
  friendmigrate clean               remove the staged input of a finished job, keep lists and report
  friendmigrate doctor              before a run: credentials, region, latency, accounts
  friendmigrate verify [INPUT...]   ask the service whether every edge is in place
  friendmigrate export              write friend lists as a file that import accepts
  friendmigrate simulate            serve a simulated Chat on a port
  friendmigrate manifest            print Kubernetes YAML of an import
  friendmigrate completion SHELL    print a completion script for bash, zsh, fish or pwsh
  friendmigrate version             print the version
  friendmigrate help [COMMAND]      this text, or that of a command
  friendmigrate help TOPIC          TOPICS
  friendmigrate help man            the manual page, for man -l -

To see it at work without an app or a key:

  friendmigrate import --rehearse INPUT

`)
	b.WriteString(exitCodes())
	return strings.Replace(b.String(), "TOPICS", strings.Join(topics(), ", "), 1)
}

func importHelp() string {
	var b strings.Builder
	b.WriteString(`friendmigrate import [flags] INPUT...

Reads edges, checks them, groups them by From_Account, sends them by friend_import and records what
became of each. Nothing is sent before the whole input was read and found sound. After any
interruption the same command goes on where it was; run after the end, it sends nothing.

INPUT is a file, a folder (its inputs in name order), an object or a prefix of an S3 store
(s3://bucket/key, s3://bucket/prefix/) or - for standard input: .csv, .jsonl or .ndjson, each also .gz
or .zst. Columns and keys carry the API's names: From_Account, To_Account, AddSource, Remark,
RemarkTime, GroupName, AddWording, AddTime, Tag_SNS_Custom_*.

`)
	b.WriteString(flagHelp(settings.Flags("import")))
	b.WriteString(variableHelp("Every flag but --fresh"))
	b.WriteString(exitCodes())
	return b.String()
}

func variableHelp(which string) string {
	text := fmt.Sprintf("%s is also read from a variable: --some-flag from %s; the flag wins.", which,
		settings.Variable("some-flag"))
	return strings.Join(wrap(text, helpWidth), "\n") + "\n\n"
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
	const column = 30
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

// paragraph is text in lines that fit.
func paragraph(text string) string { return strings.Join(wrap(text, helpWidth), "\n") + "\n\n" }

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
