package sink

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/migrate"
)

// tenant is a service that knows some accounts. It judges a call when that arrives and answers
// later.
type tenant struct {
	service
	gone  sync.Map     // accounts that do not exist
	check atomic.Value // func(w) that answers friend_get in place of the tenant; nil func: none
}

const tenantTakes = 100 * time.Millisecond

func newTenant(gone ...string) *tenant {
	n := &tenant{}
	n.check.Store((func(http.ResponseWriter))(nil))
	for _, name := range gone {
		n.gone.Store(name, true)
	}
	n.answer = func(_ int, r request, w http.ResponseWriter) {
		_, admin := n.gone.Load(testAdmin)
		_, account := n.gone.Load(r.from)
		instead := n.check.Load().(func(http.ResponseWriter))
		time.Sleep(tenantTakes)
		switch {
		case strings.HasSuffix(r.path, friendGet) && instead != nil:
			instead(w)
		case admin || account:
			fail(w, AccountUnknownToLogin)
		case strings.HasSuffix(r.path, friendGet):
			fail(w, 30003)
		default:
			allWell(r, w)
		}
	}
	return n
}

// asked counts the checks of the admin.
func (n *tenant) asked() (checks int) {
	for _, r := range n.received() {
		if strings.HasSuffix(r.path, friendGet) {
			checks++
		}
	}
	return checks
}

// TestUnknownAccount fails alone: the same answer came twice, and the admin existed after each.
func TestUnknownAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newTenant("ghost")
		c, stop := n.bubble(t, nil)
		defer stop()
		_, err := c.Import(t.Context(), "ghost", edgesTo("B"))
		if e := callError(t, err); e.Verdict != migrate.VerdictRefuseAccount || e.Code != AccountUnknownToLogin || e.Hint != "" || e.Uncertain {
			t.Errorf("%+v", e)
		}
		if _, err := c.Import(t.Context(), "A", edgesTo("B")); err != nil {
			t.Error(err)
		}
		if sent := len(n.received()); sent != 5 || n.asked() != 2 {
			t.Errorf("%d requests, %d of them checks", sent, n.asked())
		}
	})
}

// TestAdminRemovedMidRun: after a success as well, every call says that the admin is gone, and they
// share the checks.
func TestAdminRemovedMidRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 100
		n := newTenant()
		c, stop := n.bubble(t, func(config *Config) { config.Workers = callers })
		defer stop()
		if _, err := c.Import(t.Context(), "A", edgesTo("B")); err != nil {
			t.Fatal(err)
		}
		n.gone.Store(testAdmin, true)
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				_, err := c.Import(context.Background(), fmt.Sprint("u", i), edgesTo("B"))
				if e := callError(t, err); e.Verdict != migrate.VerdictFatal || e.Hint == "" {
					t.Errorf("%+v", e)
				}
			})
		}
		wg.Wait()
		if checks := n.asked(); checks < 1 || checks > 2 {
			t.Errorf("%d checks for %d answers at one time", checks, callers)
		}
		_, err := c.Import(t.Context(), testAdmin, edgesTo("B"))
		if e := callError(t, err); e.Verdict != migrate.VerdictFatal {
			t.Errorf("the admin's own list: %+v", e)
		}
	})
}

// TestCheckBeforeTheAnswerSaysNothing: a check that is under way when the answer comes may be about
// the time before the admin was removed.
func TestCheckBeforeTheAnswerSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newTenant("ghost")
		c, stop := n.bubble(t, nil)
		defer stop()
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = c.Import(context.Background(), "ghost", edgesTo("B")) }) // its check is under way from 100 to 200 ms
		time.Sleep(tenantTakes / 2)
		n.gone.Store("other", true) // answered at 150 ms, as if for the account
		wg.Go(func() {
			_, err := c.Import(context.Background(), "other", edgesTo("B"))
			if e := callError(t, err); e.Verdict != migrate.VerdictFatal {
				t.Errorf("%+v", e)
			}
		})
		time.Sleep(tenantTakes*6/10 + tenantTakes/2)
		n.gone.Store(testAdmin, true)
		wg.Wait()
	})
}

// TestAdminThatReturns before the check: the account exists, and its friends land.
func TestAdminThatReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newTenant(testAdmin)
		c, stop := n.bubble(t, nil)
		defer stop()
		time.AfterFunc(tenantTakes/2, func() { n.gone.Delete(testAdmin) })
		outcomes, err := c.Import(t.Context(), "A", edgesTo("B"))
		if err != nil || kinds(outcomes) != "imported" {
			t.Errorf("%s %v", kinds(outcomes), err)
		}
	})
}

// TestCheckThatIsLost gives no verdict: the call is made again later, and its code is not the
// service's word on the account.
func TestCheckThatIsLost(t *testing.T) {
	for name, lost := range map[string]struct {
		answer  func(http.ResponseWriter)
		verdict migrate.Verdict
	}{
		"502":       {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, migrate.VerdictRetry},
		"403":       {func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) }, migrate.VerdictRetry},
		"nonsense":  {func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") }, migrate.VerdictRetry},
		"30006":     {func(w http.ResponseWriter) { fail(w, 30006) }, migrate.VerdictRetry},
		"throttled": {func(w http.ResponseWriter) { fail(w, 60007) }, migrate.VerdictThrottle},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newTenant("ghost")
			c, stop := n.bubble(t, nil)
			defer stop()
			n.check.Store(lost.answer)
			_, err := c.Import(t.Context(), "ghost", edgesTo("B"))
			if e := callError(t, err); e.Verdict != lost.verdict || e.Answered || e.Uncertain || e.Hint != "" {
				t.Errorf("%s: %+v", name, e)
			}
			n.check.Store((func(http.ResponseWriter))(nil))
			_, err = c.Import(t.Context(), "ghost", edgesTo("B"))
			if e := callError(t, err); e.Verdict != migrate.VerdictRefuseAccount {
				t.Errorf("%s, later: %+v", name, e)
			}
		})
	}
}
