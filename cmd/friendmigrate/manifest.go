package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/manifest"
	"friendmigrate/cmd/friendmigrate/settings"
)

func manifestCommand() command {
	return command{
		name: "manifest", args: "[-- FLAGS OF IMPORT...]",
		flags: func(string) []settings.Flag { return new(manifest.Options).Flags() }, raw: true,
		do:    (*program).manifestAction,
		usage: "prints Kubernetes YAML of an import, for kubectl apply -f -",
		text: `Prints Kubernetes YAML (1.34 and newer) of an import, for kubectl apply -f -: a Job, its volume claim and
a network policy, on request a CronJob, a Job for each shard, a PodMonitor. It talks to no cluster and
reads no key: --secret names the Secret that has it. Whatever import would refuse of its flags is refused
here. Flags of import that are not listed below stand behind --, as in: manifest --region singapore -- --mutual
`,
		codes: "0; 2 for settings that cannot be used; 1 for anything else",
	}
}

// manifestAction is the command manifest.
func (p *program) manifestAction(_ context.Context, in invocation) error {
	options, err := manifest.Read(in.values, in.args, p.Version)
	if err != nil {
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: p.manifestHint(in, err)}
	}
	hint := p.Line().Without("state")
	if path.Base(options.State) == settings.DefaultState {
		hint = hint.With("state", settings.DefaultState+"-2")
	}
	if err := job.Refused(options.CheckPlaces(), hint.String()); err != nil {
		return err
	}
	text, err := manifest.Render(options)
	if err != nil {
		return err
	}
	if _, err := p.Std.Out.Write(text); err != nil {
		return fmt.Errorf("print the manifest: %w", err)
	}
	return nil
}

// manifestHint is the command without variables that the YAML must not hold: a hint must not repeat
// them either. "" is the usual hint.
func (p *program) manifestHint(in invocation, err error) string {
	line := p.Line()
	bad := slices.ContainsFunc(in.values.Flags["env"], func(s string) bool {
		_, err := manifest.ParseVariable(s)
		return err != nil
	})
	if bad {
		line = line.Without("env")
	}
	switch {
	case errors.As(err, new(settings.Missing)):
		line = p.Completed(line)
	case errors.Is(err, manifest.ErrNoFormat):
		return line.Of(append(slices.Clone(in.args), "--format", "csv")...).String() + " # or jsonl"
	case !bad:
		return ""
	}
	return line.String()
}
