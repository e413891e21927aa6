package job

import (
	"context"
	"fmt"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// refuseRejected returns the error of --strict, if it is set and any row of the whole input is
// rejected. A shard sends nothing even if all rejected rows belong to other shards.
func (j *Run) refuseRejected() error {
	own, elsewhere := j.Counts.Rejected, j.Counts.RejectedElsewhere
	if !j.Set.Strict || own+elsewhere == 0 {
		return nil
	}
	j.listed = true
	var parts []string
	if own > 0 {
		parts = append(parts, RejectedWords(own, j.see(folder.Rejected), j.Counts))
	}
	if elsewhere > 0 {
		parts = append(parts, fmt.Sprintf("%s rejected of other shards, which list them",
			terminal.WasWere(elsewhere, "row")))
	}
	return exit.Errorf(exit.Unusable, j.Without(j.Line(), "strict").String()+" # or fix the rows first",
		"--strict: %s; nothing was sent", strings.Join(parts, "; "))
}

// refuseDuplicates returns the error of --duplicates error, after printing the first pairs.
func (j *Job) refuseDuplicates(ctx context.Context, d *stage.DuplicatesError) error {
	found, _, _ := j.SourceRequest("").Resolve(ctx) // without names only line numbers are printed
	for _, pair := range d.First {
		j.Screen.Line(fmt.Sprintf("  %s -> %s: %s has it again after %s", pair.From, pair.To, placeOf(found, pair.Row),
			placeOf(found, pair.Before)))
	}
	return Unusable(j.Line().With("duplicates", "last"),
		"--duplicates error: %s%s an earlier one of the same pair (the first are named above); nothing was %s",
		terminal.Some(d.Rows, "row"), terminal.Verb(d.Rows, " repeats", " repeat"), j.SentWord)
}

// placeOf returns where a row is in the input.
func placeOf(inputs []source.Found, p migrate.Position) string {
	if p.Input < 0 || p.Input >= len(inputs) {
		return fmt.Sprintf("line %d", p.Line)
	}
	return fmt.Sprintf("%s line %d", inputs[p.Input].Name, p.Line)
}
