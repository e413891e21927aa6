package inspect

import (
	"fmt"

	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// Code returns what a code of the service means and what the program does about it; "" if no table
// has the code.
func Code(code int) string {
	c, known := sink.LookupCode(code)
	if !known {
		return ""
	}
	text := fmt.Sprintf("%d: %s\n", code, c.Advice)
	if edges := c.EdgeAdvice(); edges != c.Advice {
		text += fmt.Sprintf("Of an edge: %s\n", edges)
	}
	if c.Level&sink.OnItem != 0 {
		text += "\nFor one edge: " + onItem[c.Item] + "\n"
	}
	call := onCall[c.Call]
	switch {
	case code == sink.NotAFriend:
		text += "\nOf an undo: the edge counts as deleted.\n"
	case code == sink.AccountUnknownToLogin:
		call = "of the admin account, " + call + "\nOf another account, its edges fail with this code " +
			"once friend_get has shown that the admin exists."
	case c.SignAgain:
		call = "the call is signed again and sent again. If the new signature is refused too, " + call
	}
	if c.Level&sink.OnCall != 0 {
		text += "\nFor a whole call: " + call + "\n"
	}
	return text
}

var onItem = map[migrate.Kind]string{
	migrate.Failed:  "the edge fails with this code and is listed in failed.csv. --retry-failed sends it again.",
	migrate.Again:   "only this edge is sent again, later, up to 8 attempts and 10 minutes.",
	migrate.Already: "the edge is in place; it counts as already.",
}

var onCall = map[migrate.Verdict]string{
	migrate.VerdictRetry:    "the call is sent again with growing pauses, up to 8 attempts and 10 minutes.",
	migrate.VerdictThrottle: "the whole job slows down and climbs back. It costs no attempt.",
	migrate.VerdictHalve: "the call is halved until the refused edges are alone. These fail; the others\n" +
		"land. If everything is refused, the job stops with exit code 6.",
	migrate.VerdictRefuseChunk: "all edges of the call fail with this code.",
	migrate.VerdictRefuseAccount: "all edges of the From_Account fail with this code, and no more calls are made " +
		"for it.",
	migrate.VerdictUnknown: "three attempts, then the edges of the call fail with this code, but only while other\n" +
		"accounts get through.",
	migrate.VerdictSuspect: "before the first success the job ends with exit code 12; later it holds.",
	migrate.VerdictFatal:   "the job ends with exit code 12 and resumes after the cause is fixed.",
}
