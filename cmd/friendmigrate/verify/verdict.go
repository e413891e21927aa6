package verify

import (
	"context"
	"sync/atomic"

	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// The journal of a verify holds verdicts as outcomes: in place is migrate.Imported, in place with
// fields that cannot be read migrate.Already, and everything else migrate.Failed with a code. These
// codes are far below those of the service, which are recorded as they are.
const (
	codeMissing   = 1
	codeDifferent = 2 // the outcome's Info names the fields
)

// isMissing reports whether a code means that the service does not have the edge: it said so, or it
// keeps refusing to answer. A temporary code means nothing.
func isMissing(code int) bool {
	if code < 100 {
		return code == codeMissing
	}
	known, _ := sink.LookupCode(code)
	return known.Item == migrate.Failed && known.Call != migrate.VerdictRetry && known.Call != migrate.VerdictThrottle
}

// hasVerdict reports whether a failure with this code is a verdict.
func hasVerdict(code int) bool { return isMissing(code) || code == codeDifferent }

// isRefusal reports whether the service answered this code instead of yes or no and the code is not
// temporary. The code of an account that does not exist counts as a no.
func isRefusal(code int) bool {
	known, _ := sink.LookupCode(code)
	return code >= 100 && isMissing(code) && known.Call != migrate.VerdictRefuseAccount
}

func withoutFields() migrate.Outcome { return migrate.Outcome{Kind: migrate.Already} }

func inPlace() migrate.Outcome { return migrate.Outcome{Kind: migrate.Imported} }
func missing() migrate.Outcome { return migrate.Outcome{Kind: migrate.Failed, Code: codeMissing} }

// asker asks friend_check. It is the engine's Caller and makes one call for the edges of a chunk.
type asker struct {
	check func(ctx context.Context, from string, to []string) ([]sink.Presence, error)
	heard atomic.Bool // the service has given a verdict
}

// Call is a migrate.Caller.
func (a *asker) Call(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	wrong := 0
	outcomes, err := sink.Outcomes(edges, missing(), func(to []string) ([]sink.Presence, error) {
		return a.check(ctx, from, to)
	})
	for _, o := range outcomes {
		if o.Code == sink.WrongApp {
			wrong++
		}
	}
	switch {
	case err != nil:
		return nil, err
	case wrong < len(edges):
		a.heard.Store(true)
	case !a.heard.Load():
		return nil, sink.WrongAppError(outcomes[0].Info)
	}
	return outcomes, nil
}
