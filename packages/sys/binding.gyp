{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'sys',
    'sources': ['native/binding.cc', 'native/ops.c', 'native/apply.c', 'native/path.c', 'native/procfs.c', 'native/spawn.c', 'native/program.c', 'native/execute.c', 'native/label.c', 'native/start.c', 'native/socket.c', 'native/remove.c', 'native/rooted.c', 'native/attributes.c', 'native/self.c', 'native/heads.c', 'native/huge-pages.c', 'native/notices.c', 'native/namespace.c', 'native/threads.c'],
  }],
}
