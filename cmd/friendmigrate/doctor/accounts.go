package doctor

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source/accountlist"
)

// Accounts asks account_check which accounts of a list exist. If the list is longer than Sample, it
// asks about a random sample.
type Accounts struct {
	List   *accountlist.File
	Sample int64
	Seed   uint64
	Check  func(ctx context.Context, ids []string) ([]sink.Presence, error)
}

// Existing is the result of account_check.
type Existing struct {
	Named      int64   `json:"named"` // accounts in the list
	Asked      int64   `json:"asked"`
	Exist      int64   `json:"exist"`
	Missing    int64   `json:"missing"`
	Unknown    int64   `json:"unknown"`             // the service gave no verdict
	Seed       string  `json:"seed,omitempty"`      // of the sample, if there is one
	BadAtMost  float64 `json:"badAtMost,omitempty"` // upper bound of the share of all accounts that do not exist
	Confidence float64 `json:"confidence,omitempty"`
	List       string  `json:"list"`

	missing []string // in the order of the list
}

// Run asks about the accounts, one call after the other.
func (a *Accounts) Run(ctx context.Context) (*Existing, error) {
	x := &Existing{Named: a.List.Count}
	drawn := verify.Draw(a.List.Count, a.Sample, a.Seed)
	number, batch := int64(0), []string(nil)
	for account, err := range a.List.All(ctx) {
		if err != nil {
			return x, err
		}
		if len(drawn) > 0 && drawn[0] == number {
			if drawn = drawn[1:]; !slices.Contains(batch, account.ID) { // a call accepts each id only once
				batch = append(batch, account.ID)
			}
		}
		number++
		if len(batch) == sink.MaxAccounts {
			if err := a.ask(ctx, x, batch); err != nil {
				return x, err
			}
			batch = nil
		}
	}
	if err := a.ask(ctx, x, batch); err != nil {
		return x, err
	}
	if x.Asked < x.Named {
		x.Seed, x.Confidence = fmt.Sprint(a.Seed), verify.Confidence
		x.BadAtMost = verify.Bound(x.Asked, x.Asked-x.Exist) // an account without a verdict may be missing
	}
	return x, nil
}

// ask asks about some accounts, and asks again about those without a verdict.
func (a *Accounts) ask(ctx context.Context, x *Existing, ids []string) error {
	x.Asked += int64(len(ids))
	defer func() { x.Unknown += int64(len(ids)) }()
	for try := 0; len(ids) > 0 && try < tries; try++ {
		var answers []sink.Presence
		err := retry(ctx, func() (err error) {
			answers, err = a.Check(ctx, ids)
			return err
		})
		if err != nil {
			return err
		}
		var again []string
		for i, answer := range answers {
			switch {
			case answer.Again:
				again = append(again, ids[i])
			case !answer.Known:
				x.Unknown++
			case answer.Exists:
				x.Exist++
			default:
				x.Missing++
				x.missing = append(x.missing, ids[i])
			}
		}
		ids = again
	}
	return nil
}

// write writes the list of accounts that do not exist.
func (x *Existing) write(fsys disk.FS, path string) error {
	x.List = path
	return disk.WriteWhole(fsys, path, func(w io.Writer) error {
		rows := [][]string{{folder.AccountsHeader}}
		for _, id := range x.missing {
			rows = append(rows, []string{id})
		}
		return csv.NewWriter(w).WriteAll(rows)
	})
}

func (x *Existing) check() Check {
	saw := fmt.Sprintf("%s of %s exist, %s missing, see %s", terminal.Count(x.Exist), terminal.Some(x.Asked, "account"),
		terminal.Count(x.Missing), x.List)
	if x.Unknown > 0 {
		saw += fmt.Sprintf("; no verdict on %s", terminal.Count(x.Unknown))
	}
	if x.Seed != "" {
		saw += fmt.Sprintf("; with 95 %% confidence at most %.3g %% of all %s do not exist (%s; seed %s)",
			100*x.BadAtMost,
			terminal.Count(x.Named), verify.BoundName, x.Seed)
	}
	if x.Missing == 0 {
		return good("accounts", saw)
	}
	return warning("accounts", saw, "an edge with an account that does not exist fails with 30003; "+
		"friendmigrate accounts finds all of those, and with --import imports them")
}
