package job

import (
	"testing"
	"time"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/sink"
)

// A call of a run that was killed may still be open when the next run begins, whatever the rate.
func TestARunWithoutARateLeavesRoomAfterTheRunBeforeToo(t *testing.T) {
	for _, rate := range []float64{200, sink.Unpaced} {
		j := &Job{Program: &Program{}, Key: sink.StaticKey(sink.NewSecret("key"))}
		j.Set.Service = settings.Service{SDKAppID: 1, Identifier: "administrator", Endpoint: "https://chat.test"}
		j.Set.Pace = settings.Pace{Rate: rate, Workers: 1}
		c, err := j.NewClient(t.Context(), time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if pace := c.Pace(); pace.Cause != sink.PaceRestart || pace.Current != 0 {
			t.Errorf("at rate %v: %+v", rate, pace)
		}
	}
}
