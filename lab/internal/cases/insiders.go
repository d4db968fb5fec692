package cases

func insiders() []Case { return nil }
