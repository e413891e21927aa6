package sink

// Notes lists what a user has to know of the service before an import (vendor's pages of blocking,
// of webhooks and of the trial edition).
func Notes() []string {
	return []string{
		"blocking someone removes the friendship from both lists, unless the app has that switched off",
		"friend_import raises no \"after friend added\" webhook",
		"a trial app holds 20 friends per account and 100 accounts",
	}
}
