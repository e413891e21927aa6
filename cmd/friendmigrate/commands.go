package main

import (
	"context"
	"sync"

	"friendmigrate/cmd/friendmigrate/manifest"
	"friendmigrate/cmd/friendmigrate/settings"
)

// allCommands lists the commands, in the order of the program's help text.
func allCommands() []command {
	return []command{
		{name: "accounts", args: "[INPUT...]", do: (*program).accountsAction,
			usage: "asks which accounts of both sides exist; --import imports those that do not"},
		{name: "import", args: "INPUT...", do: operate(importing),
			usage: "the job: validate, group, send, record, report. Run it again to resume"},
		{name: "plan", args: "INPUT...", do: (*program).planAction,
			usage: "the same reading and checking, nothing sent: what an import would take"},
		{name: "update", args: "INPUT...", do: operate(updating),
			usage: "sets Remark, GroupName and custom fields of friends that exist"},
		{name: "status", do: (*program).statusAction, usage: "where the job stands, also while it runs"},
		{name: "failures", do: (*program).failuresAction,
			usage: "what the service refused: by code with advice, or as a list that import accepts"},
		{name: "explain", args: "FROM [TO]", do: (*program).explainAction,
			usage: "what happened to one account or one edge"},
		{name: "report", do: (*program).reportAction,
			usage: "writes report.json and report.html again, for shards a joint one"},
		{name: "undo", do: (*program).undoAction, usage: "deletes exactly the edges that this job imported"},
		{name: "pace", args: "[RATE|pause|resume]", do: (*program).paceAction,
			usage: "shows or changes how fast the job sends, while it runs"},
		{name: "clean", do: (*program).cleanAction,
			usage: "removes the staged input of a finished job, keeps lists and report"},
		{name: "verify", args: "[INPUT...]", do: (*program).verifyAction,
			usage: "asks the service whether every edge is in place"},
		{name: "export", do: (*program).exportAction,
			usage: "writes the friend lists of many accounts as a file that import accepts"},
		{name: "doctor", do: (*program).doctorAction,
			usage: "finds out before a long run whether it will work"},
		{name: "simulate", do: (*program).simulateAction, usage: "serves a simulated Chat on a port"},
		{name: "manifest", args: "[-- FLAGS OF IMPORT...]", flags: new(manifest.Options).Flags,
			do: (*program).manifestAction, usage: "prints Kubernetes YAML of an import, for kubectl apply -f -"},
		{name: completionName, args: "SHELL", usage: completionUsage},
		{name: "version", usage: "prints the version",
			do: func(p *program, _ context.Context, _ invocation) error { return p.showVersion() }},
		{name: "help", args: "[COMMAND|TOPIC]", usage: "prints this text, or that of a command or a topic",
			do: func(p *program, _ context.Context, in invocation) error { return p.showHelp(in.args...) }},
	}
}

// flagsOf returns the flags of a command, and for each whether its value may be a word of its own.
// It returns nil for an unknown command.
func flagsOf(name string) map[string]bool { return knownFlags()[name] }

// knownFlags returns the flags of all commands. They never change, and every command line and hint
// needs them.
var knownFlags = sync.OnceValue(func() map[string]map[string]bool {
	known := map[string]map[string]bool{}
	for _, c := range allCommands() {
		known[c.name] = map[string]bool{}
		for _, f := range c.declared() {
			known[c.name][f.Name] = f.Kind == settings.Takes
		}
	}
	return known
})
