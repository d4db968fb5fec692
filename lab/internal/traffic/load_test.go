package traffic

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
)

// run feeds probes to RunProbe and leaves its input open until the time has passed.
func run(t *testing.T, open time.Duration, probes ...Probe) []Answer {
	t.Helper()
	in, feed := io.Pipe()
	go func() {
		json.NewEncoder(feed).Encode(probes)
		time.Sleep(open)
		feed.Close()
	}()
	var out bytes.Buffer
	if err := RunProbe(in, &out); err != nil {
		t.Fatal(err)
	}
	var answers []Answer
	if err := json.Unmarshal(out.Bytes(), &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

func outcomes(answer Answer) map[string]int {
	all := map[string]int{}
	for _, sample := range answer.Samples {
		all[sample.Outcome]++
	}
	return all
}

func TestLoadStopsWhenTheInputCloses(t *testing.T) {
	server, _ := serve(t)
	start := time.Now()
	answers := run(t, 500*time.Millisecond,
		Probe{URL: at(server.http, "/"), Every: 20 * time.Millisecond},
		Probe{URL: at(server.http, "/"), Every: 20 * time.Millisecond, Reuse: true},
		Probe{URL: at(server.http, "/?delay=800ms"), Every: 50 * time.Millisecond},
		Probe{URL: at(server.http, "/?delay=700ms")},
	)
	if took := time.Since(start); took < 700*time.Millisecond || took > 3*time.Second {
		t.Errorf("took %s", took)
	}
	for i, least := range []int{10, 10, 5} {
		got := outcomes(answers[i])
		if got["200"] < least || len(got) != 1 {
			t.Errorf("probe %d: outcomes %v", i, got)
		}
		expect(t, "pod", answers[i].Samples[0].Pod, pod(t))
	}
	expectOutcome(t, answers[3], "200")
	expect(t, "samples of a single probe", len(answers[3].Samples), 0)
}

func TestForOutlastsTheInput(t *testing.T) {
	server, _ := serve(t)
	start := time.Now()
	answers := run(t, 0, Probe{URL: at(server.http, "/"), Every: 20 * time.Millisecond, For: 300 * time.Millisecond})
	if took := time.Since(start); took < 300*time.Millisecond {
		t.Errorf("took %s", took)
	}
	if got := outcomes(answers[0]); got["200"] < 5 || len(got) != 1 {
		t.Errorf("outcomes %v", got)
	}
}

func TestTimesRepeatsOneAfterTheOther(t *testing.T) {
	server, _ := serve(t)
	for _, probe := range []Probe{
		{URL: at(server.http, "/"), Times: 20},
		{URL: at(server.http, "/"), Times: 20, Reuse: true},
		{Kind: "h2", URL: at(server.http, "/"), Times: 20, Reuse: true},
	} {
		answer := ask(t, probe)
		expect(t, "answers", outcomes(answer)["200"], 20)
		if answer.Seen == nil {
			t.Error("the last answer is missing")
		}
	}
	answer := ask(t, Probe{Kind: "grpc", URL: at(server.grpc, "/lab.Echo/Any"), Times: 20, Reuse: true})
	expect(t, "calls", outcomes(answer)["OK"], 20)
}

func TestAKeptConnectionIsOneUntilItBreaks(t *testing.T) {
	address, seen := captured(t, serverConfig(t))
	ask(t, Probe{URL: "https://" + address, Times: 3, Reuse: true})
	first, second, third := <-seen, <-seen, <-seen
	expect(t, "connection", second.Remote, first.Remote)
	expect(t, "connection", third.Remote, first.Remote)

	answer := ask(t, Probe{URL: "https://" + address, Times: 3, Reuse: true, Header: [][2]string{{"Connection", "close"}}})
	expect(t, "first", answer.Samples[0].Outcome, "200")
	expect(t, "on the broken connection", answer.Samples[1].Outcome, "closed")
	expect(t, "on a fresh connection", answer.Samples[2].Outcome, "200")
}

func TestASlowServerDoesNotSlowTheClock(t *testing.T) {
	server, _ := serve(t)
	answer := ask(t, Probe{URL: at(server.http, "/?delay=400ms"), Every: 20 * time.Millisecond, For: 300 * time.Millisecond})
	if len(answer.Samples) < 8 {
		t.Errorf("only %d requests began", len(answer.Samples))
	}
}

func TestInputThatIsNoListOfProbesIsAnError(t *testing.T) {
	if err := RunProbe(strings.NewReader(`{"kind": "http"}`), io.Discard); err == nil {
		t.Error("no error")
	}
}
