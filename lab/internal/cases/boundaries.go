package cases

// boundaries are two of one mesh: west deals with east at the first, and with north at the second, which has another port at the same address.
func boundaries() []Case {
	client := func(meshName string) From { return From{meshName, "partners/client"} }
	return in("second-boundary",
		analyzed("second-boundary"),
		ask("boundaries/first-out", laws(1), "west calls east through the first boundary", client("west"), get("http://reviews.partners:9080/"), "200"),
		ask("boundaries/second-out", laws(1), "and north through the second", client("west"), get("http://ratings.partners:9080/"), "200"),
		ask("boundaries/first-in", laws(1), "east calls west at the first boundary", client("east"), get("http://details.partners:9080/"), "200"),
		ask("boundaries/second-in", laws(1), "and north at the second, at a port of its own", client("north"), get("http://details.partners:9080/"), "200"),
		ask("boundaries/first-caller", laws(4), "nobody else of west calls through the first", other, get("http://reviews.partners:9080/"), "503"),
		ask("boundaries/second-caller", laws(4), "nor through the second", other, get("http://ratings.partners:9080/"), "503"),
		ask("boundaries/first-rule", laws(3), "each holds its peer to its rules: the first", client("east"), send("POST", "http://details.partners:9080/"), "403"),
		ask("boundaries/second-rule", laws(3), "and the second", client("north"), send("POST", "http://details.partners:9080/"), "403"),
	)
}
