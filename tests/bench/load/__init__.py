"""Who talks to the server that is measured: buyers on one side, the platform's interface on the other."""
