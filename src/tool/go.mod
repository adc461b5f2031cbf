module rack

go 1.25
