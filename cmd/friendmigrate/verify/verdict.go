package verify

import "friendmigrate/migrate"

// The journal of a verify holds verdicts as outcomes: in place is migrate.Imported, and everything else is migrate.Failed with a code. These codes are far below
// those of the service, which are recorded as they are.
const (
	codeMissing   = 1
	codeDifferent = 2 // the text names the fields
	codeChanging  = 3 // the list never stood still, so there is no verdict
)

// The service's codes that are a verdict: where the account does not exist, neither does the friendship.
const (
	codeNoAccount       = 30003
	codeNoAccountEither = 70107
)

func isMissing(code int) bool {
	return code == codeMissing || code == codeNoAccount || code == codeNoAccountEither
}

// hasVerdict reports whether a failure is one.
func hasVerdict(code int) bool { return isMissing(code) || code == codeDifferent }

func inPlace() migrate.Outcome { return migrate.Outcome{Kind: migrate.Imported} }
func missing() migrate.Outcome { return migrate.Outcome{Kind: migrate.Failed, Code: codeMissing} }
