package sink_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/sink/simulator"
)

// A client imports a friend and asks whether it is there, at a simulated service.
func Example() {
	const key = "b7e1516289aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfe"
	service := httptest.NewServer(simulator.New(simulator.Config{
		App: simulator.App{SDKAppID: 1400000001, Key: key, Missing: simulator.Set{"nobody": {}}},
	}))
	defer service.Close()
	client, err := sink.New(sink.Config{
		Endpoint: service.URL, SDKAppID: 1400000001, Identifier: "administrator", Key: sink.StaticKey(sink.NewSecret(key)),
		Rate: 200, Workers: 10,
	})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	ctx := context.Background()
	friend := []migrate.Edge{{From: "alice", To: "bob", AddSource: "AddSource_Type_Import"}}
	outcomes, err := client.Import(ctx, "alice", friend)
	fmt.Println("imported:", outcomes[0].Kind == migrate.Imported, err)

	found, err := client.Check(ctx, "alice", []string{"bob", "carol"})
	fmt.Println("friends:", found[0].Exists, found[1].Exists, err)

	_, err = client.Import(ctx, "nobody", friend)
	refused, _ := errors.AsType[*migrate.CallError](err)
	fmt.Println("refused:", refused.Code, refused.Verdict == migrate.VerdictRefuseAccount)
	// Output:
	// imported: true <nil>
	// friends: true false <nil>
	// refused: 30003 true
}
