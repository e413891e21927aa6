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

// manifestHint returns the command without the variables that the YAML must not hold, since a hint
// must not repeat them either. What is wrong before -- is named first, then what is wrong after it.
func (p *program) manifestHint(in invocation, err error) string {
	line := p.Line()
	if errors.Is(err, manifest.ErrKey) {
		line = exit.Parse(p.Args[0], "manifest", nil, nil)
		return line.With("secret", "NAME").String() + " # and the rest of the line"
	}
	_, own := manifest.Read(in.values, nil, p.Version)
	if own == nil {
		ours, its := p.Flags("manifest"), p.Flags("import")
		after := exit.Parse("", "import", in.args, func(flag string) bool { return ours[flag] || its[flag] })
		for _, f := range settings.Refusals(err) { // one of manifest itself belongs before --
			_, own := ours[f.Name]
			if value := after.Value(f.Name); own && f.Name != "env" && after.Has(f.Name) && !manifest.HasUser(value) {
				line = line.With(f.Name, value)
			}
		}
		corrected := p.Corrected(after, append(settings.Refusals(err), source.Better(err))...).Flags()
		if slices.Equal(corrected, in.args) {
			return line.Of().String() + " # without what comes after --"
		}
		return line.Of(corrected...).String()
	}
	bad := slices.ContainsFunc(in.values.Flags["env"], func(s string) bool {
		_, err := manifest.ParseVariable(s)
		return err != nil
	})
	if bad {
		line = line.Without("env")
	}
	switch {
	case errors.As(own, new(settings.Missing)):
		line = p.Completed(line)
	case errors.Is(own, manifest.ErrNoFormat):
		return line.Of(append(slices.Clone(in.args), "--format", "csv")...).String() + " # or jsonl"
	case !bad:
		return p.Hint(own, exit.Unusable)
	}
	return line.String()
}
