package main

import (
	"context"
	"errors"
	"fmt"
	"path"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/manifest"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/source"
)

func (p *program) manifestAction(_ context.Context, in invocation) error {
	options, err := manifest.Read(in.values, in.args, p.Version)
	if err != nil {
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: p.manifestHint(in, err)}
	}
	hint := p.Line().Without("state")
	if path.Base(options.State) == settings.DefaultState {
		hint = hint.With("state", settings.DefaultState+"-2")
	}
	if err := job.WouldOverwrite(options.CheckPlaces(), hint.String()); err != nil {
		return err
	}
	for _, flag := range manifest.LeftOut(in.values, in.args) {
		p.Screen.Line(fmt.Sprintf("warning: the variable %s is not passed on: give --%s after --",
			settings.Variable(flag), flag))
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

// manifestHint returns the command with better values of the flags that err is about, before and
// after --, and with a flag of manifest itself moved before it. It leaves out the variables that the
// YAML must not hold, since a hint must not repeat them either.
func (p *program) manifestHint(in invocation, err error) string {
	line, ours, its := p.Line(), p.Flags("manifest"), p.Flags("import")
	if errors.Is(err, manifest.ErrKey) {
		line = exit.Parse(p.Args[0], "manifest", nil, nil)
		return line.With("secret", "NAME").String() + " # and the rest of the line"
	}
	after := exit.Parse("", "import", in.args, func(flag string) bool { return ours[flag] || its[flag] })
	var before, behind []source.Flag
	for _, f := range append(settings.Refusals(err), source.Better(err)) {
		_, own := ours[f.Name]
		switch value := after.Value(f.Name); {
		case !own:
			behind = append(behind, f)
		case !after.Has(f.Name):
			before = append(before, f)
		default:
			behind = append(behind, source.Flag{Name: f.Name})
			if f.Name != "env" && !manifest.HasUser(value) {
				line = line.With(f.Name, value)
			}
		}
	}
	line, after = p.Corrected(line, before...), p.Corrected(after, behind...)
	if errors.As(err, new(settings.Missing)) {
		line = p.Completed(line)
	}
	if errors.Is(err, manifest.ErrNoFormat) {
		after = after.With("format", "csv")
	}
	if hint := line.Of(after.Flags()...).String(); hint != p.Line().String() {
		return hint
	}
	return p.Hint(err, exit.Unusable)
}
