package verify

import (
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// The journal of a verify holds verdicts as outcomes: in place is migrate.Imported, in place with
// fields that cannot be read migrate.Already, and everything else migrate.Failed with a code. These
// codes are far below those of the service, which are recorded as they are.
const (
	codeMissing   = 1
	codeDifferent = 2 // the text names the fields
)

// isMissing reports whether a code says that the service does not have the edge: it said so, or it
// keeps refusing to say anything else. A code that passes at another time says nothing.
func isMissing(code int) bool {
	if code < 100 {
		return code == codeMissing
	}
	known, _ := sink.LookupCode(code)
	return known.Item == migrate.Failed && known.Call != migrate.VerdictRetry && known.Call != migrate.VerdictThrottle
}

// hasVerdict reports whether a failure is one.
func hasVerdict(code int) bool { return isMissing(code) || code == codeDifferent }

func withoutFields() migrate.Outcome { return migrate.Outcome{Kind: migrate.Already} }

func inPlace() migrate.Outcome { return migrate.Outcome{Kind: migrate.Imported} }
func missing() migrate.Outcome { return migrate.Outcome{Kind: migrate.Failed, Code: codeMissing} }
