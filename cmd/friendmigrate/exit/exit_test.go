package exit

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestTheGravestOfSeveralCodesSpeaks(t *testing.T) {
	order := []Code{Unexpected, Refused, Systematic, Unfinished, Different, Exceptions, Done} // as the contract lists them
	for i, grave := range order {
		for _, other := range order[i:] {
			if got := Gravest(other, grave); got != grave {
				t.Errorf("Gravest(%d, %d) = %d, want %d", other, grave, got, grave)
			}
		}
	}
	if got := Gravest(); got != Done {
		t.Errorf("Gravest() = %d", got)
	}
}

func TestTableHasEveryCodeOnceInOrder(t *testing.T) {
	var codes []Code
	for _, row := range Table() {
		codes = append(codes, row.Code)
		if row.Meaning == "" {
			t.Errorf("code %d has no meaning", row.Code)
		}
	}
	if want := []Code{0, 1, 2, 3, 4, 5, 6, 10, 11, 12}; !slices.Equal(codes, want) {
		t.Errorf("codes are %v, want %v", codes, want)
	}
}

func TestASchedulerKnowsWhatToDoAboutEveryCode(t *testing.T) {
	for _, c := range []struct {
		what Rerun
		want []Code
	}{
		{Finish, []Code{0}},
		{Retry, []Code{1, 4, 11}},
		{GiveUp, []Code{2, 3, 5, 6, 10}},
		{StopAll, []Code{12}},
	} {
		if got := Codes(c.what); !slices.Equal(got, c.want) {
			t.Errorf("Codes(%d) = %v, want %v", c.what, got, c.want)
		}
	}
	if got, want := Codes(GiveUp, StopAll), []Code{2, 3, 5, 6, 10, 12}; !slices.Equal(got, want) {
		t.Errorf("what ends a job that isn't divided is %v, want %v", got, want)
	}
}

func TestEachOfSeveralErrorsIsSaidOnceOnALineOfItsOwn(t *testing.T) {
	e := Ending{Code: Unexpected, What: "read: first\nsecond\r\nfirst\nthird", Hint: "friendmigrate import\na.csv"}
	want := "friendmigrate: read: first\nfriendmigrate: second\nfriendmigrate: third; hint: friendmigrate import a.csv"
	if got := e.LastLine(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := e.OneLine(), "read: first; second; third"; got != want {
		t.Errorf("in one line: %q, want %q", got, want)
	}
}

func TestTheFirstCodeOfAnErrorHolds(t *testing.T) {
	inner := Because(OtherJob, errors.New("x"))
	var got *Error
	if !errors.As(Because(Unusable, fmt.Errorf("y: %w", inner)), &got) || got.Code != OtherJob {
		t.Errorf("got %v", got)
	}
	if Because(Unusable, nil) != nil {
		t.Error("no error has a code")
	}
}

// Go's own exit code is 2 as well: in a pod ours is another one.
func TestAPodSaysUnusableInItsOwnWay(t *testing.T) {
	pod := map[string]string{PodVariable: "1"}
	for _, row := range Table() {
		if row.Code.Status(nil) != int(row.Code) || row.Code.Status(pod) == 2 || row.Code != Unusable && row.Code.Status(pod) != int(row.Code) {
			t.Errorf("code %d goes out as %d and %d", row.Code, row.Code.Status(nil), row.Code.Status(pod))
		}
		if row.Code == PodUnusable {
			t.Errorf("code %d has a meaning already", row.Code)
		}
	}
}

func TestNoPasswordIsShown(t *testing.T) {
	e := Ending{What: "cannot read http://u:s3cret@h/x", Hint: "friendmigrate manifest --env A=https://u:s3@cret@h:1 s3://b/a@b.csv"}
	if got, want := e.LastLine(), "friendmigrate: cannot read http://***@h/x; hint: friendmigrate manifest --env A=https://***@h:1 s3://b/a@b.csv"; got != want {
		t.Error(got)
	}
}
