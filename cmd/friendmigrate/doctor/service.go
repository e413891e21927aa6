package doctor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// Limits of the calls to the service, which are made one after the other with pauses.
const (
	tries       = 5 // calls to get a first answer
	samples     = 30
	betweenCall = 40 * time.Millisecond
	betweenTry  = time.Second
	lastTry     = 10 * time.Second // after it no further attempt is waited for: one may take 10 s
)

// harmless makes a call that changes nothing. It is sink.Client's Probe: friend_get of the admin
// account, whose friend list need not exist.
type harmless func(ctx context.Context) error

// Service checks the service with harmless calls. first is the error of the first one. A run would
// have workers calls in flight and make rate calls per second.
func Service(ctx context.Context, call harmless, first error, rate float64, workers int) []Check {
	answered, throttled := answer(ctx, call, first)
	if Code(answered) != exit.Done || ctx.Err() != nil {
		return answered
	}
	return append(answered, measure(ctx, call, throttled, rate, workers)...)
}

// answer gets a first answer, if it is not there yet, and returns the checks that follow from it.
func answer(ctx context.Context, call harmless, err error) (checks []Check, throttled int) {
	begun, made := time.Now(), 1
	for ; ; made++ {
		if err == nil {
			return []Check{
				good("credentials", "the service takes the signature"),
				good("admin right", "the service lets --identifier call its REST API"),
				good("region", "this host serves the app"),
			}, throttled
		}
		var e *migrate.CallError
		if !errors.As(err, &e) {
			break // ctx's
		}
		switch e.Verdict {
		case migrate.VerdictThrottle:
			throttled++
		case migrate.VerdictRetry, migrate.VerdictUnknown:
		default:
			return refused(e), throttled
		}
		if made == tries || time.Since(begun) > lastTry || migrate.Sleep(ctx, betweenTry) != nil {
			break
		}
		err = call(ctx)
	}
	return []Check{unreachable("answer", fmt.Sprintf("no usable answer in %s: %v", terminal.Some(int64(made), "call"),
		err), "try again later; if it stays so, check --region or --endpoint and what lies on the way")}, throttled
}

// refused returns the check that an error of the service fails.
func refused(e *migrate.CallError) []Check {
	if !e.Answered {
		return []Check{bad("answer", e.Info, e.Hint, exit.Refused)}
	}
	name := "answer"
	if code, _ := sink.LookupCode(e.Code); code.Concern() != sink.OtherFault {
		name = string(code.Concern())
	}
	return []Check{bad(name, "the service says "+e.Error(), e.Hint, exit.Refused)}
}

// measure makes more calls and returns the checks of latency and throttling.
func measure(ctx context.Context, call harmless, throttled int, rate float64, workers int) []Check {
	var took []time.Duration
	var lost []error
	for range samples {
		if migrate.Sleep(ctx, betweenCall) != nil {
			break
		}
		began := time.Now()
		err := call(ctx)
		e, _ := errors.AsType[*migrate.CallError](err)
		switch {
		case err == nil:
			took = append(took, time.Since(began))
		case e == nil: // ctx's
		case e.Verdict == migrate.VerdictThrottle:
			throttled++
		case e.Verdict == migrate.VerdictFatal: // since the first answer
			return refused(e)
		default:
			lost = append(lost, err)
		}
	}
	return []Check{latency(took, lost, rate, workers), throttling(throttled, len(took)+len(lost)+throttled)}
}

func latency(took []time.Duration, lost []error, rate float64, workers int) Check {
	if len(took) == 0 {
		return unreachable("latency", fmt.Sprintf("no call was answered: %v", errors.Join(lost...)),
			"try again later")
	}
	slices.Sort(took)
	at := func(percent int) string { return milliseconds(took[min(len(took)-1, percent*len(took)/100)]) }
	saw := fmt.Sprintf("%d calls: half within %s, 90 %% within %s, 99 %% within %s, the slowest %s", len(took), at(50),
		at(90), at(99), at(100))
	if n := len(lost); n > 0 {
		saw += fmt.Sprintf("; %s failed, the last: %v", terminal.Some(int64(n), "call"), lost[n-1])
		return warning("latency", saw,
			"a run tries such calls again; if there are many, wait for a better time")
	}
	mean := time.Duration(0)
	for _, d := range took {
		mean += d / time.Duration(len(took))
	}
	if need := int(math.Ceil(1.2 * rate * mean.Seconds())); need > workers {
		return warning("latency", saw, fmt.Sprintf("%d workers cannot make %g calls per second: use --workers %d",
			workers, rate, need))
	}
	return good("latency", saw)
}

func throttling(throttled, calls int) Check {
	if throttled > 0 {
		return warning("throttling", fmt.Sprintf("%d of %d calls were refused as too frequent", throttled, calls),
			"something else uses the app's limit of calls now: wait, or give a run less of it by --rate")
	}
	return good("throttling", fmt.Sprintf("none of %d calls was refused as too frequent", calls))
}
