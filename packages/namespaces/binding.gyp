{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'namespaces',
    'sources': [
      'native/binding.cc', 'native/ops.c', 'native/join.c', 'native/inspect.c', 'native/scan.c',
      '../sys/native/apply.c', '../sys/native/execute.c', '../sys/native/label.c', '../sys/native/namespace.c', '../sys/native/path.c',
      '../sys/native/procfs.c', '../sys/native/start.c',
    ],
  }],
}
